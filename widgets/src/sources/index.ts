/** Bringing songs in, as a widget in a notebook. */

import { defineWidget } from "../widget";

export default defineWidget(() => undefined);
