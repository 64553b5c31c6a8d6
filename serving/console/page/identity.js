// Who asks, at a server with an access file: a bearer token, kept here and nowhere else, and shown with every request.
import { find } from "./dom.js";

const UNKNOWN = 401, NOT_ALLOWED = 403;

export class Identity {
  #token = "";

  /** `again` is called when somebody has entered a token. */
  constructor(again) {
    find("login-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#token = find("token").value.trim();
      find("token").value = "";
      find("login").hidden = true;
      again();
    });
  }

  get hasToken() { return this.#token !== ""; }

  /** As the browser's own, with the token if there is one. */
  fetch(path, options = {}) {
    return fetch(path, this.hasToken ? { ...options, headers: { authorization: `Bearer ${this.#token}` } } : options);
  }

  /** Whether the server wants to know who asks, or wants somebody else; then a token can be entered, and the reason is shown. */
  async isRefused(response) {
    if (response.status !== UNKNOWN && response.status !== NOT_ALLOWED) return false;
    const { error } = await response.json();
    find("login-reason").textContent = this.hasToken || response.status === NOT_ALLOWED ? error : "";
    find("login").hidden = false;
    find("token").focus();
    return true;
  }
}
