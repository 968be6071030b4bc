/** The dashboard as a widget: the whole page in Voila, a tall figure in a notebook. */

import { defineWidget } from "../widget";
import { mountPlayer } from "../player/player";
import { mountTransport } from "../player/transport";
import { mountDashboard } from "./shell";

export default defineWidget(({ el, bridge, state, signal }) => {
  mountDashboard(el, bridge, {
    signal, state, mountPlayer, mountTransport,
    wholePage: document.body.dataset.voila !== undefined,
  });
});
