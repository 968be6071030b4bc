/** The dashboard as a widget: the whole page in Voila, a tall figure in a notebook. */

import { mountPlayer, mountTransport } from "../player/player";
import { defineWidget } from "../widget";
import { mountDashboard } from "./shell";

export default defineWidget(({ el, bridge, state, signal }) => {
  mountDashboard(el, bridge, {
    signal, state, mountPlayer, mountTransport,
    wholePage: document.body.dataset.voila !== undefined,
  });
});
