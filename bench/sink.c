/* A mail server for benchmarks: takes everything, keeps nothing but a line for each letter.
 *
 *     sink PORT DELAY_MS [LEDGER]
 *
 * Answers the end of a letter after DELAY_MS, and everything that follows on that connection after
 * that. LEDGER gets the Message-ID of each letter before its answer leaves. One thread, epoll.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { IN_SIZE = 1 << 20, OUT_SIZE = 1 << 16, MOST = 4096 };

struct conn {
    int fd, in_data, blocked;
    size_t have, scanned, owed;
    char *in, *out;
};

struct wait { long long at; int fd; unsigned generation; };

static struct conn conns[MOST];
static unsigned generations[MOST];
static struct wait queue[MOST];
static size_t head, tail;
static long long delay_us;
static int ledger = -1, poller;

static long long now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static void hang_up(struct conn *c) {
    close(c->fd);
    generations[c->fd]++;
    free(c->in);
    free(c->out);
    c->in = c->out = NULL;
}

static void say(struct conn *c, const char *text) {
    size_t n = strlen(text);
    if (c->owed + n <= OUT_SIZE) {
        memcpy(c->out + c->owed, text, n);
        c->owed += n;
    }
}

static int flush(struct conn *c) {
    while (c->owed) {
        ssize_t n = send(c->fd, c->out, c->owed, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN ? 0 : -1;
        memmove(c->out, c->out + n, c->owed - n);
        c->owed -= n;
    }
    return 0;
}

static void note(const char *letter, size_t size) {
    if (ledger < 0)
        return;
    const char *id = memmem(letter, size, "\r\nMessage-ID: ", 14);
    const char *end = id ? memchr(id + 14, '\r', letter + size - id - 14) : NULL;
    char line[300];
    int n = snprintf(line, sizeof line, "%.*s\n", end ? (int)(end - id - 14) : 1, end ? id + 14 : "-");
    if (write(ledger, line, n) != n)
        exit(3);
}

/* Takes what is complete out of the buffer; returns -1 to hang up. */
static int serve(struct conn *c) {
    size_t at = 0;
    while (!c->blocked) {
        if (c->in_data) {
            size_t from = c->scanned > at ? c->scanned : at;
            char *end = memmem(c->in + from, c->have - from, "\r\n.\r\n", 5);
            if (!end) {
                c->scanned = c->have > at + 4 ? c->have - 4 : at;
                break;
            }
            note(c->in + at, end - c->in - at);
            at = end - c->in + 5;
            c->in_data = 0;
            c->scanned = at;
            if (delay_us) {
                c->blocked = 1;
                queue[tail++ % MOST] = (struct wait){now_us() + delay_us, c->fd, generations[c->fd]};
            } else {
                say(c, "250 2.0.0 Ok\r\n");
            }
            continue;
        }
        char *end = memmem(c->in + at, c->have - at, "\r\n", 2);
        if (!end)
            break;
        char *line = c->in + at;
        at = end - c->in + 2;
        if (!strncasecmp(line, "EHLO", 4))
            say(c, "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 10485760\r\n");
        else if (!strncasecmp(line, "DATA", 4)) {
            say(c, "354 Go on\r\n");
            c->in_data = 1;
            c->scanned = at;
        } else if (!strncasecmp(line, "QUIT", 4)) {
            say(c, "221 2.0.0 Bye\r\n");
            flush(c);
            return -1;
        } else
            say(c, "250 2.1.0 Ok\r\n");
    }
    memmove(c->in, c->in + at, c->have - at);
    c->have -= at;
    c->scanned = c->scanned > at ? c->scanned - at : 0;
    return flush(c);
}

static void receive(struct conn *c) {
    ssize_t n = recv(c->fd, c->in + c->have, IN_SIZE - c->have, 0);
    if (n > 0)
        c->have += n;
    if (n == 0 || (n < 0 && errno != EAGAIN) || serve(c) < 0)
        hang_up(c);
}

static void greet(int listener) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;
        if (fd < 0)
            return;
        if (fd >= MOST) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        conns[fd] = (struct conn){.fd = fd, .in = malloc(IN_SIZE), .out = malloc(OUT_SIZE)};
        struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e);
        say(&conns[fd], "220 sink ESMTP\r\n");
        flush(&conns[fd]);
    }
}

/* Answers the letters whose time has come; returns how long to wait for the next one, in ms. */
static int answer(void) {
    while (head != tail) {
        struct wait w = queue[head % MOST];
        long long left = w.at - now_us();
        if (left > 0)
            return left / 1000 + 1;
        head++;
        struct conn *c = &conns[w.fd];
        if (generations[w.fd] != w.generation || !c->in)
            continue;
        c->blocked = 0;
        say(c, "250 2.0.0 Ok\r\n");
        if (serve(c) < 0)
            hang_up(c);
    }
    return -1;
}

int main(int argc, char **argv) {
    if (argc < 3)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    delay_us = atoll(argv[2]) * 1000;
    if (argc > 3 && (ledger = open(argv[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0)
        return 3;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 512))
        return 1;
    poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = listener}, found[64];
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &e);
    for (;;) {
        int n = epoll_wait(poller, found, 64, answer());
        for (int i = 0; i < n; i++) {
            if (found[i].data.fd == listener)
                greet(listener);
            else if (conns[found[i].data.fd].in)
                receive(&conns[found[i].data.fd]);
        }
    }
}
