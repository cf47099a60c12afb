"""Each row of the fault table has a test, or a reason why it has none."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

_TESTS = Path(__file__).parent.parent
_ENGINE = "mailing/engine/test_sender.py"
_POOL = "mailing/engine/transport/test_pool.py"

ROWS: dict[int, list[str]] = {
    1: [
        "faults/test_points.py::test_whatever_breaks_nothing_is_lost_and_nothing_doubled",
        "faults/test_points.py::test_kills_at_random_instants",
        "mailing/engine/test_kill.py::test_a_killed_sender_loses_and_doubles_nothing",
    ],
    2: [
        "faults/test_cluster.py::test_when_a_member_of_the_idle_cluster_is_killed_work_goes_on",
        "faults/test_cluster.py::test_when_a_busy_worker_is_killed_the_other_finishes_its_task_first",
    ],
    3: ["faults/test_cluster.py::test_when_the_main_process_is_killed_no_child_is_left"],
    4: [
        "faults/test_poison.py::"
        "test_after_three_deaths_the_letter_is_failed_and_all_others_have_left",
        "faults/test_poison.py::test_while_it_waits_for_its_last_chance_all_others_leave",
        f"{_ENGINE}::test_a_letter_that_takes_all_memory_fails_alone",
    ],
    5: [
        "faults/test_scheduler.py::test_a_scheduler_that_sends_finishes_the_letters_under_way",
        "faults/test_cluster.py::test_a_signal_to_the_whole_group_lets_the_running_task_finish",
    ],
    6: [
        "faults/test_points.py::test_a_sender_that_was_halted_for_twenty_minutes_arms_nothing_more",
        "mailing/engine/test_sweeper.py::test_a_live_sender_is_left_alone_but_for_what_it_has_not_armed",
    ],
    7: [
        "faults/test_points.py::test_a_time_out_at_any_instant_loses_and_doubles_nothing",
        "faults/test_cluster.py::test_a_task_over_its_time_costs_one_worker_and_nothing_else",
    ],
    8: [
        "faults/test_restarts.py::test_a_run_goes_on_after_a_restart_and_nobody_gets_two_or_none",
        "faults/test_restarts.py::test_an_idle_scheduler_outlives_its_database",
        "faults/test_database.py::test_a_database_that_goes_away_costs_nobody_a_letter",
    ],
    10: ["faults/test_database.py::test_a_database_that_is_locked_is_waited_for"],
    11: [
        "faults/test_database.py::test_a_commit_that_fails_after_the_answer_is_made_up_for",
        "faults/test_points.py::test_the_journal_saves_answers_that_the_database_never_got",
    ],
    12: [
        "faults/test_cache.py::test_pages_answer_and_people_stay_signed_in",
        "faults/test_cache.py::test_people_can_sign_in",
        "faults/test_cache.py::test_letters_go_on_leaving",
        "faults/test_scheduler.py::test_without_its_cache_it_sends_all_the_same",
    ],
    13: [
        f"{_ENGINE}::TestServerDown::test_nothing_is_counted_and_it_goes_on_by_itself",
        "mailing/engine/test_circuit.py::"
        "TestAlert::test_it_comes_once_when_the_server_has_been_away_for_five_minutes",
    ],
    14: [f"{_POOL}::test_a_server_that_does_not_greet"],
    15: [f"{_POOL}::test_a_server_that_drips_wins_no_time"],
    16: [
        "faults/test_mail_server.py::test_a_connection_that_breaks_at_each_stage",
        f"{_POOL}::test_a_connection_that_breaks_while_the_letter_is_still_here_gives_it_back",
    ],
    17: ["faults/test_mail_server.py::test_a_goodbye_after_some_letters_costs_nothing"],
    18: [f"{_ENGINE}::test_a_greylisted_client_is_tried_again_later"],
    19: ["faults/test_mail_server.py::test_among_many_each_refusal_is_told_apart"],
    20: [
        f"{_ENGINE}::TestHopelessRuns::test_it_is_paused_and_the_rest_is_kept",
        "faults/test_mail_server.py::"
        "test_a_wrong_password_costs_nobody_an_attempt_and_stays_out_of_the_log",
    ],
    21: [
        "faults/test_mail_server.py::test_whatever_a_server_says_is_a_reply_or_a_reply_error",
        "faults/test_mail_server.py::test_a_reply_of_many_lines_in_pieces_keeps_its_code",
        "faults/test_mail_server.py::test_a_code_without_text_is_a_reply",
    ],
    22: [f"{_POOL}::test_a_slow_answer_within_its_time_is_an_answer"],
    23: [
        f"{_POOL}::test_without_starttls_nothing_goes_in_clear",
        f"{_POOL}::test_a_wrong_certificate_sends_nothing",
        f"{_POOL}::test_bytes_before_tls_cannot_pose_as_answers_inside",
    ],
    24: [
        "faults/test_many.py::test_a_clock_that_jumps_makes_no_second_run_and_no_storm",
        "faults/test_clock.py::test_one_run_and_one_letter_for_each_whatever_the_clock_says",
    ],
    29: [
        "faults/test_many.py::test_of_eight_planners_each_occurrence_is_opened_by_one",
        "faults/test_interleavings.py::test_occurrence_and_occurrence_are_one_run",
    ],
    30: [
        "faults/test_many.py::test_eight_senders_on_one_run_send_each_letter_once",
        "faults/test_cluster.py::test_two_clusters_run_no_task_twice",
    ],
    32: [
        "faults/test_database.py::test_on_a_full_disk_nothing_is_planned_and_later_it_is",
        "faults/test_database.py::"
        "test_on_a_full_disk_nothing_leaves_without_its_line_in_the_journal",
        "faults/test_database.py::test_once_there_is_room_again_it_goes_on_by_itself",
        "mailing/engine/test_journal.py::test_a_journal_on_a_full_disk_refuses",
    ],
    33: [f"{_ENGINE}::test_the_run_keeps_the_message_as_it_was"],
    34: ["faults/test_stops.py::test_pausing_and_resuming_fifty_times_loses_and_doubles_nothing"],
    35: ["faults/test_stops.py::test_after_the_commit_at_most_the_armed_letters_leave"],
    36: ["faults/test_stops.py::test_after_the_commit_at_most_the_armed_letters_leave"],
    37: ["faults/test_stops.py::test_an_erased_client_is_anonymous_and_gets_nothing"],
    39: [
        "faults/test_stops.py::test_after_the_commit_at_most_the_armed_letters_leave",
        "faults/test_stops.py::test_a_blocked_owner_s_next_dates_are_not_opened",
    ],
    40: [
        "faults/test_interleavings.py::test_two_tabs_send_once",
        "mailing/engine/test_planner.py::test_send_now_twice_with_one_form_is_one_run",
    ],
    41: ["faults/test_many.py::test_one_address_in_two_lists_and_three_spellings_gets_one_letter"],
    42: [
        "faults/test_many.py::test_a_very_large_run_opens_and_begins_quickly_and_in_little_memory",
        "faults/test_many.py::test_pages_stay_quick_while_a_very_large_run_is_being_sent",
        "faults/test_many.py::test_a_lease_takes_no_longer_in_a_large_run",
    ],
    43: [f"{_ENGINE}::test_small_runs_are_not_stuck_behind_big_ones"],
    48: [
        "faults/test_many.py::test_a_large_log_is_forgotten_in_small_steps",
        "mailing/engine/test_retention.py::test_attempts_and_words_go_and_the_figures_stay",
    ],
    49: ["faults/test_database.py::test_after_a_power_cut_at_most_the_armed_letters_are_unknown"],
}

REASONS = {
    9: (
        "A fail-over that loses commits needs two PostgreSQL servers. With synchronous replication"
        " there is none (docs/operations); without it the letters of the lost second leave twice,"
        " as with every sender whose intent is undone after the fact."
    ),
}
"""Rows without a test of their own."""


def names_in(module: Path) -> set[str]:
    found = set()
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{n.name}" for n in node.body if isinstance(n, ast.FunctionDef)}
    return found


@pytest.mark.parametrize("row", sorted({*ROWS, *REASONS}))
def test_a_row_of_the_table_has_a_test_or_a_reason(row: int) -> None:
    assert ROWS.get(row) or REASONS.get(row)
    for test in ROWS.get(row, []):
        module, _colons, name = test.partition("::")
        assert name in names_in(_TESTS / module), test


def test_every_row_that_is_asked_for_is_here() -> None:
    wanted = {*range(1, 25), 29, 30, *range(32, 38), *range(39, 44), 48, 49}
    assert wanted == {*ROWS, *REASONS}
