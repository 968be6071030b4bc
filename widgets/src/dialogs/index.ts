/** The dialogs and the settings of engines and services, as the bundle that pages load when they are wanted. */

export { keyMap } from "../dashboard/keys";
export { exportDialog } from "../exporting/dialog";
export { separateDialog } from "../separate/dialog";
export { mountServices } from "../services/services";
