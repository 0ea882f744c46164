// Before anything is painted: tells the style that scripts run. A file, because the pages' policy allows none inline.
document.body.classList.add("js-enabled");
if ("noModule" in HTMLScriptElement.prototype) document.body.classList.add("govuk-frontend-supported");
