// Shows what needs passkeys where the browser knows them, and says so when it gives up.

const notice = document.getElementById("passkey_trouble");

if (window.PublicKeyCredential) {
  for (const element of document.querySelectorAll("[data-passkey]")) element.hidden = false;
}

document.addEventListener("allauth.error", (event) => {
  event.preventDefault(); // stock: only the console is told
  notice.hidden = false;
});
