/* The page as a document of its own. */

import { open } from "./page.js";

open(document);
