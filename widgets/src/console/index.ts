/** The console as a script: an audio worklet registers its processor, and V8 inside Python finds `SfaConsole`. */

import { Offline } from "./offline";
import { registerConsole } from "./worklet";

declare const AudioWorkletProcessor: unknown;

if (typeof AudioWorkletProcessor === "function") registerConsole();
else Object.assign(globalThis, { SfaConsole: { offline: Offline.create } });
