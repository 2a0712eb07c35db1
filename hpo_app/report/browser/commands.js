// Commands with a button that copies them.

async function copy(text, source) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // A page from disk may not be trusted with the clipboard: what is selected can be copied.
    getSelection().selectAllChildren(source);
    return document.execCommand("copy");
  }
}

function startCopying() {
  for (const source of document.querySelectorAll("pre.command")) {
    const button = html("button", "copy", "Copy");
    button.type = "button";
    button.addEventListener("click", async () => {
      const isCopied = await copy(source.textContent, source);
      button.textContent = isCopied ? "Copied" : "Press Ctrl+C";
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
    source.before(button);
  }
}
