/** What every page loads: the styles, htmx, the small behaviours of the frame, and the islands that the page holds. */

import "@fontsource-variable/figtree/index.css";
import "@tabler/core/dist/css/tabler.min.css";
import "./app.css";
import "./contacts.css";
import "./segments.css";
import "./imports.css";
import "./frame";
import "./board";
import "./selection";
import "./upload";
import { mountIslands } from "./islands";

mountIslands(document);
document.addEventListener("htmx:after:swap", () => mountIslands(document));
