// The box beside a form of the query builder, as it would be if the form were sent now. Pages do without this.
const box = document.getElementById("so-far");
for (const form of document.querySelectorAll("form[data-estimate]")) {
  let waiting = 0;
  let asked = 0;
  const refresh = async () => {
    const mine = ++asked;
    const fields = new URLSearchParams(new FormData(form));
    fields.set("estimate", "yes");
    const answer = await fetch(form.action, { method: "POST", body: fields });
    // A question that cannot be estimated, or a session that has ended: the form itself will say so.
    if (!answer.ok || answer.redirected || mine !== asked) return;
    box.innerHTML = await answer.text();
  };
  form.addEventListener("change", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => refresh().catch(() => {}), 250);
  });
}
