/** Say what to do where index.html was opened as a file: browsers load no modules from there, so this is a script of the old kind. */

if (location.protocol === "file:") {
  addEventListener("DOMContentLoaded", () => {
    const problem = /** @type {HTMLElement} */ (document.getElementById("problem"));
    problem.textContent = "This page needs a server: run node examples/browser/serve.js, and open the address that it prints.";
    problem.hidden = false;
    document.getElementById("answers")?.setAttribute("aria-busy", "false");
  });
}
