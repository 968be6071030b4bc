/** What travels between the page and the kernel. The Python side speaks the same shapes as plain dicts. */

export type StemName =
  | "vocals" | "drums" | "bass" | "other" | "guitar" | "piano" | "electric_guitar" | "acoustic_guitar" | "synthesizer"
  | "strings" | "wind" | "voice" | "music" | "lead_vocals" | "back_vocals" | "rest";
export type TrackStatus = "new" | "queued" | "working" | "ready" | "failed";
export type JobStatus = "queued" | "downloading" | "processing" | "completed" | "failed" | "cancelled";
/** The parts of a board: failed; running; waiting, the next to run first; completed or cancelled, the newest first. */
export type JobGroup = "failed" | "running" | "waiting" | "history";
export type JobKind = "separate" | "analyze" | "autocue";
export type Stage = JobKind;
export type SortColumn =
  | "title" | "artist" | "bpm" | "key" | "energy" | "duration" | "added_at" | "status";

export interface TrackRow {
  id: string;
  title: string;
  artist: string | null;
  album: string | null;
  /** Seconds. */
  duration: number | null;
  bpm: number | null;
  key: string | null;
  camelot: string | null;
  /** 1 to 10. */
  energy: number | null;
  lufs: number | null;
  stems: string[];
  status: TrackStatus;
  /** Per cent of the stage under way. */
  progress: number;
  stage: string | null;
  error: string | null;
  art: boolean;
  added_at: string;
}

export interface JobRow {
  id: string;
  kind: string;
  queue: string;
  track_id: string | null;
  title: string | null;
  status: JobStatus;
  progress: number;
  attempt: number;
  max_attempts: number;
  /** 0 first. */
  priority: number;
  error: string | null;
  /** The external service it calls. */
  service: string | null;
  /** How many jobs that it needs are not completed. */
  blockers: number;
  /** Who runs it: host:pid:start. */
  holder: string | null;
  /** What it was asked for together with. */
  batch: string | null;
  /** Whether it waits because its batch is paused. */
  paused: boolean;
  created_at: string;
  scheduled_at: string;
  started_at: string | null;
  ended_at: string | null;
  /** Seconds until it may start, counted when the row was made: clocks differ. */
  due_s: number | null;
  /** Seconds until it is expected to end. */
  eta_s: number | null;
}

export type JobCounts = Record<JobStatus, number>;

export interface QueueRow {
  queue: string;
  limit: number;
  running: number;
  waiting: number;
  retrying: number;
  failed: number;
}

/** An external service that failed too often and is left alone. */
export interface ServiceRow {
  service: string;
  failures: number;
  /** Seconds until one job tries it again. */
  trial_s: number;
}

/** How it all stands. */
export interface JobsOverview {
  counts: JobCounts;
  queues: QueueRow[];
  services: ServiceRow[];
  /** The batches that are paused, and how many jobs of each wait. */
  paused: { batch: string; waiting: number }[];
}

/** How work stands that was asked for together. */
export interface BatchState {
  /** How many jobs of each kind have each status. */
  kinds: { kind: string; status: JobStatus; jobs: number }[];
  /** Up to 50 of each: the newest first; the next to run first; the last to fail first. */
  running: JobRow[];
  waiting: JobRow[];
  failed: JobRow[];
  paused: boolean;
  /** What came of it, once nothing of it waits or runs. */
  brought: Brought | null;
}

export interface Brought {
  /** Songs that came, and that were there. */
  new: number;
  known: number;
  /** Name and reason of the first files that cannot be used. */
  refused: [string, string][];
  playlists: { id: string; name: string }[];
}

export interface JobDetail {
  job: JobRow;
  arguments: Record<string, unknown>;
  needs: { id: string; kind: string; status: JobStatus }[];
}

export type LogLevel = "debug" | "info" | "warning" | "error" | "critical" | "output";

export interface LogLine {
  /** Seconds since the epoch. */
  time: number;
  attempt: number;
  level: LogLevel;
  text: string;
}

/** A piece of a job's log. */
export interface LogPart {
  lines: LogLine[];
  /** Bytes of the log before this piece, and after it. */
  offset: number;
  next: number;
  /** Lines of the piece that were left out because there are too many to show; they come before the others. */
  skipped: number;
}

export interface Section {
  start: number;
  end: number;
  label: string;
  confidence: number;
  /** Sections of one letter repeat each other; missing or empty where nothing was compared. */
  group?: string;
  /** What in the sound speaks for the label, in one sentence. */
  reason?: string;
  /** The numbers that decided, by name. */
  evidence?: Record<string, number | null>;
}

export interface Analysis {
  duration_s: number;
  bpm: number | null;
  bpm_confidence: number;
  bpm_alternative: number | null;
  /** Seconds. */
  beats: number[];
  downbeats: number[];
  beats_per_bar: number;
  key: string | null;
  key_confidence: number;
  camelot: string | null;
  tuning_cents: number | null;
  lufs: number | null;
  lra: number | null;
  /** dBTP; null when silent. */
  true_peak: number | null;
  energy: number | null;
  /** 0 to 1 at `energy_rate` Hz. */
  energy_curve: number[];
  energy_rate: number;
  sections: Section[];
  drops: number[];
  version: number;
}

/** A stretch of beats at one tempo. */
export interface GridSegment {
  start: number;
  /** Index of its first beat. */
  first: number;
  beats: number;
  tempo: number;
}

export interface KeySpan {
  start: number;
  end: number;
  key: string;
  camelot: string;
  confidence: number;
}

export interface Chord {
  start: number;
  end: number;
  /** "C", "A#m", or "N" where no chord sounds. */
  label: string;
  confidence: number;
}

export interface LoopSpan {
  /** Only of loops that are kept in the catalogue. */
  id?: string;
  start: number;
  end: number;
  bars: number;
  /** 0 to 1: how little the seam is heard. */
  score: number;
  reason: string;
  /** "mix" or the name of a stem. */
  source: string;
}

/** All that an analysis says, as the pictures of the analysis draw it. */
export interface FullAnalysis extends Analysis {
  beat_confidence: number;
  downbeat_confidence: number;
  metre_confidence: number;
  grid_kind: "constant" | "piecewise" | "free" | "none";
  grid: GridSegment[];
  swing: number | null;
  swing_confidence: number;
  key_alternative: string | null;
  open_key: string | null;
  keys: KeySpan[];
  chords: Chord[];
  momentary_max: number | null;
  short_term_max: number | null;
  rms: number | null;
  crest: number | null;
  /** 0 to 1. */
  danceability: number | null;
  /** Means over the sounding parts, by name: `centroid`, `bandwidth`, `rolloff` in Hz, ... */
  timbre: Record<string, number | null>;
  loops: LoopSpan[];
  /** What a person has put right. */
  corrected: CorrectionKind[];
}

export type CorrectionKind = "grid" | "key" | "sections";

/** What a person may say about each kind. */
export interface CorrectionValues {
  grid:
    | { tempo: number; first_beat: number }
    | { scale: 0.5 | 2 }
    | { shift: number }
    | { downbeat: number }
    /** The nearest beat is here; those since the last pin are spaced anew, those after it move along. */
    | { pin: number }
    | { beats_per_bar: 3 | 4 };
  key: { key: string };
  sections: { sections: { start: number; end: number; label: string }[] };
}

export interface Correction {
  id: string;
  kind: CorrectionKind;
  value: Record<string, unknown>;
  created_at: string;
}

/** A series over time, its values as bytes between two ends. */
export interface CurveHeader {
  rows: number;
  columns: number;
  /** Values per second; null where `x_buffer` says when they are. */
  rate: number | null;
  /** Time of the first value, in s. */
  start: number;
  /** What byte 0 and byte 255 stand for: one pair, or one for each column. */
  minimum: number | number[];
  maximum: number | number[];
  unit: string;
  names: string[];
  /** Indices into the reply's buffers: uint8 of shape (rows, columns), and float32 of shape (rows). */
  buffer: number;
  x_buffer: number | null;
}

export interface AnalysisLoad {
  track: TrackRow;
  analysis: FullAnalysis | null;
  /** Without what people put right. */
  automatic: FullAnalysis | null;
  corrections: Correction[];
  cues: Cue[];
  loops: LoopSpan[];
  curves: Record<string, CurveHeader>;
  /** Attacks a second; null where it was not measured. */
  density: number | null;
}

/** What people made of a song: enough to see whether a page holds it already. */
export interface ByHand {
  /** Ids of the corrections in force. */
  corrections: string[];
  cues: Cue[];
}

export interface Cue {
  id: string;
  /** Seconds. */
  time: number;
  type: string;
  label: string;
  color: string | null;
  confidence: number | null;
  reason: string | null;
  /** 1 to 8 for a hot cue of a deck. */
  slot: number | null;
  /** Seconds; null for a point. */
  end: number | null;
}

export interface StemRow {
  id: string;
  name: string;
  badge: string;
}

export interface TrackDetail {
  track: TrackRow;
  tags: Record<string, string | number | null>;
  analysis: Analysis | null;
  cues: Cue[];
  stems: StemRow[];
  jobs: JobRow[];
}

export interface AudioSource {
  id: string;
  /** "b:" goes before a stem of the set that is compared. */
  role: "mix" | StemName | `b:${StemName}`;
  label: string;
  url: string;
  mime: string;
  engine?: string;
  /** Id of the set that a stem belongs to. */
  set?: string;
}

/** What was measured of one stem. */
export interface StemQuality {
  /** Of the energy of all stems, 0 to 1. */
  share: number;
  /** RMS and highest sample, in dB of full scale. */
  level_db: number;
  peak_db: number;
  silent: boolean;
  /** How much of another stem it holds, estimated, in dB; null where it cannot be told. */
  leakage_db: number | null;
  leakage_from: string | null;
}

export interface QualityReport {
  /** What the stems together leave of the mix, in dB below it. */
  residual_db: number;
  stems: Record<string, StemQuality>;
  warnings: string[];
}

/** One separation of a track. */
export interface StemSet {
  id: string;
  engine: string;
  engine_label: string;
  model: string;
  model_label: string;
  /** "Draft (no AI)", "Demucs · ft". */
  badge: string;
  draft: boolean;
  /** Names in the mixer's order. */
  stems: string[];
  /** Seconds; null for the whole song. A region is a preview. */
  start: number | null;
  end: number | null;
  settings: Record<string, unknown>;
  device: string;
  /** How long it took, in s; null where nobody noted it. */
  seconds: number | null;
  /** Billed; null where nothing is. */
  minutes: number | null;
  report: QualityReport | null;
  in_use: boolean;
  created_at: string;
}

export interface WaveformLevel {
  bin_frames: number;
  bins: number;
  /** Index into the reply's buffers: int8, shape (bins, 4 bands, 3 statistics). */
  buffer: number;
}

export interface WaveformHeader {
  sample_rate: number;
  frames: number;
  duration: number;
  levels: WaveformLevel[];
}

export interface PlayerLoad {
  track: TrackRow;
  sources: AudioSource[];
  analysis: Analysis | null;
  cues: Cue[];
  waveforms: Partial<Record<AudioSource["role"], WaveformHeader>>;
  /** Every separation of the track, the newest first; `sources` has the one in use. */
  sets: StemSet[];
}

/** One set of stems; of a preview with the song's part as "mix". */
export interface StemsLoad {
  set: StemSet;
  sources: AudioSource[];
  waveforms: Partial<Record<AudioSource["role"], WaveformHeader>>;
}

/** A setting of an engine. */
export interface EngineSetting {
  name: string;
  label: string;
  description: string;
  kind: "number" | "choice" | "switch";
  default: unknown;
  /** Of a choice. */
  choices: string[];
  /** Bounds of a number. */
  minimum: number | null;
  maximum: number | null;
}

export interface EngineModel {
  /** Empty when the engine has but one. */
  name: string;
  label: string;
  description: string;
  stems: string[];
  /** The stems it makes when none are named. */
  usual: string[];
  /** Whether all its stems together are the whole song; else what they leave is the stem "rest". */
  complete: boolean;
  ready: boolean;
  /** Why it is not ready. */
  reason: string;
  /** What fetching its weights would take; null when there is nothing to fetch. */
  fetch_bytes: number | null;
  /** What a person has to agree to before the weights are fetched. */
  notice: string;
}

/** One way to separate a song into stems. */
export interface EngineInfo {
  name: string;
  label: string;
  description: string;
  where: "here" | "cloud";
  draft: boolean;
  models: EngineModel[];
  settings: EngineSetting[];
  /** The name of the key that it needs. */
  credential: string | null;
  /** The external service that it calls. */
  service: string | null;
}

/** What is to be separated, and how. */
export interface SeparationRequest {
  ids: string[];
  engine: string;
  model: string;
  /** Null for all of the model's usual ones. */
  stems: string[] | null;
  /** Seconds; null for the whole song. */
  region: [number, number] | null;
  /** Those of the engine's settings that are not as usual. */
  settings: Record<string, unknown>;
}

export interface SeparationEstimate {
  seconds: number | null;
  /** Minutes that the cloud bills. */
  minutes: number | null;
  minutes_left: number | null;
  checked_at: string | null;
  /** Whether earlier separations on this machine say so. */
  known: boolean;
  text: string;
}

/** The learned models on this machine. */
export interface WeightsRow {
  model: string;
  label: string;
  description: string;
  state: "ready" | "missing" | "damaged";
  /** Of the files that are there; of those to fetch when there are none. */
  bytes: number;
  /** What is wrong with them. */
  reason: string;
}

export interface WeightsStatus {
  folder: string;
  notice: string;
  models: WeightsRow[];
}

export interface Credential {
  name: string;
  label: string;
  source: "environment" | "store" | null;
  changed_at: string | null;
}

export type ExportWhat = "stems" | "stem" | "stem.mp4" | "analysis";

/** What is to be written as a file to take away, and how. */
export interface ExportRequest {
  ids: string[];
  what: ExportWhat;
  /** Which one, of one stem. */
  stem?: string;
  format: string;
  template: string;
  /** Not of the stems in use but of this set. */
  separation?: string;
}

export interface ExportRow {
  id: string;
  /** The file's name for people. */
  name: string;
  kind: string;
  bytes: number;
  url: string;
  created_at: string;
  /** The job that made it. */
  job: string;
}

/** A song as a service or a playlist file names it, which may not be in the library. */
export interface SongRow {
  id: string;
  title: string;
  artist: string;
  album: string;
  /** Seconds. */
  duration: number | null;
  /** Where the service shows it. */
  url: string | null;
  /** How it gets here; "absent": nobody has asked for it. */
  state: "absent" | "queued" | "downloading" | "failed";
  progress: number;
  error: string | null;
}

export type PlaylistKind = "own" | "imported" | "smart";

/** What the tracks of a smart playlist have in common; what is missing or null does not matter. */
export interface PlaylistFilter {
  /** Words of title, artist, album or genre. */
  text?: string | null;
  /** BPM, both ends included. */
  tempo?: [number, number] | null;
  /** Whether half and double of the tempi will do as well. */
  octaves?: boolean | null;
  /** Camelot code: keys that mix with it. */
  compatible_with?: string | null;
  /** Camelot codes: exactly these keys. */
  keys?: string[] | null;
  /** 1 to 10, both ends included. */
  energy?: [number, number] | null;
  /** Seconds, both ends included. */
  duration?: [number, number] | null;
  genre?: string | null;
  year?: [number, number] | null;
  stems?: boolean | null;
  analyzed?: boolean | null;
  /** Added in the last so many days. */
  added_days?: number | null;
  sort?: SortColumn | null;
  descending?: boolean | null;
  /** At most so many tracks. */
  limit?: number | null;
}

export interface PlaylistRow {
  id: string;
  name: string;
  kind: PlaylistKind;
  /** Entries, and how many of them can be played. */
  count: number;
  here: number;
  /** Seconds, of those that can be played. */
  duration: number;
  /** Where it was imported from. */
  service: "spotify" | "file" | null;
  url: string | null;
  owner: string;
  description: string;
  filter: PlaylistFilter | null;
  /** A smart one's filter in words: "120-128 BPM, mixes with 8A, has stems". */
  sentence: string;
  changed_at: string;
}

/** One place of a playlist: a track, or a song that is not here. */
export interface PlaylistEntry {
  /** Of a smart playlist the track's id. */
  id: string;
  position: number;
  track: TrackRow | null;
  song: SongRow | null;
}

export type LinkKind = "track" | "album" | "playlist" | "liked";

/** What a link leads to, as it was when the service was last asked. */
export interface LinkPreview {
  /** "spotify:playlist:ID" */
  link: string;
  kind: LinkKind;
  name: string;
  owner: string;
  url: string | null;
  /** How many items it has, and how many of them are no songs that could come (episodes, local files, gaps). */
  total: number;
  skipped: number;
  /** Whether the service keeps the songs to itself, and in one sentence why. */
  note: string | null;
  /** The first 500. */
  songs: { title: string; artist: string; album: string; duration: number | null; here: boolean }[];
  /** How many of all are in the library. */
  here: number;
  fetched_at: string;
}

/** A program that downloads. */
export interface ToolRow {
  name: string;
  label: string;
  ok: boolean;
  /** Version and place, or what is missing. */
  detail: string;
  hint: string | null;
  /** Whether a press can set it up. */
  installable: boolean;
  /** The job that sets it up now. */
  job: string | null;
}

export interface FolderRow {
  id: string;
  path: string;
  watched: boolean;
  reference: boolean;
  stages: Stage[];
  scanned_at: string | null;
  problem: string | null;
  /** Tracks that came from it, and files that could not be used. */
  tracks: number;
  refused: number;
  /** The job that looks through it now. */
  job: string | null;
}

export interface SpotifyState {
  /** Whether an id of a client is there, and a secret. */
  client: boolean;
  secret: boolean;
  login: "none" | "waiting" | "working" | "done" | "failed";
  /** Who is logged in. */
  name: string | null;
  /** Why it failed. */
  error: string | null;
  /** The address that has to be registered with the client. */
  redirect: string;
}

export interface DownloadsState {
  /** Whether this installation lets people switch them on. */
  allowed: boolean;
  on: boolean;
  /** What a person has to agree to. */
  notice: string;
  format: string;
  tools: ToolRow[];
}

export interface DoctorCheck {
  name: string;
  ok: boolean;
  /** Whether the studio works without it. */
  required: boolean;
  detail: string;
  hint: string | null;
}

export interface Notice {
  level: "info" | "ok" | "warn" | "danger";
  text: string;
  /** Names the news, where several widgets of a page may hear of it. */
  id?: string;
  /** The jobs that it is about. */
  jobs?: "failed" | "history";
}

/** Requests: method -> parameters and result. */
/** What a deck is loaded with. */
export interface DeckLoad extends PlayerLoad {
  /** dB that bring it to the loudness that all decks play at. */
  gain: number;
  /** Pitch class of the tonic (C is 0); null while unknown. */
  key: { tonic: number; minor: boolean } | null;
}

/** How a deck stands, for a kernel that reads on from there. */
export interface DeckStand {
  deck: number;
  track: string | null;
  playing: boolean;
  /** Seconds, and seconds of the song in a second. */
  position: number;
  rate: number;
  duration: number;
  /** BPM now. */
  tempo: number | null;
  /** Seconds, [start, end] of what is marked: the loop. */
  selection: [number, number] | null;
}

export type ControlValue = number | string;

/** A timed change of a control; times in s since the script began unless `deck` names whose place it is. */
export interface ScriptEvent {
  time: number;
  control: string;
  value: ControlValue;
  /** Seconds a continuous control takes to get there. */
  over?: number;
  /** `time` is a place in the song of this deck. */
  deck?: number;
}

export interface ScriptDocument {
  version: 1;
  /** Hz, of the console that it was recorded from. */
  sample_rate: number;
  /** Seconds. */
  duration: number;
  /** What stood when it began: controls that were not at their default, and where decks stood, in s. */
  controls: Record<string, ControlValue>;
  positions: Record<string, number>;
  events: ScriptEvent[];
}

export interface ScriptRow {
  id: string;
  name: string;
  duration: number;
  events: number;
  created_at: string;
  changed_at: string;
}

export type PresetKind = "eq" | "effects" | "layout" | "mapping";

export interface PresetRow {
  kind: PresetKind;
  name: string;
  value: Record<string, ControlValue>;
}

export type TransitionKind = "cut" | "blend" | "bass swap" | "echo out" | "stem swap";

/** From one song of an auto-mix to the next. */
export interface TransitionRow {
  kind: TransitionKind;
  bars: number;
  /** Seconds of the song that ends, and of the one that begins, at which it starts. */
  out_at: number;
  in_at: number;
  /** Why here, in a few words. */
  reason: string;
}

/** A song of an auto-mix. */
export interface AutoMixSong {
  /** Seconds of the mix at which it begins and ends to be heard. */
  start: number;
  end: number;
  /** Seconds of the song that it is then at. */
  from: number;
  to: number;
  /** Of all of it, evenly spaced, 0 to 1; empty while unknown. */
  energy: number[];
}

export interface AutoMixPlan {
  id: string;
  tracks: TrackRow[];
  /** One fewer than tracks. */
  transitions: TransitionRow[];
  /** Each song on the mix's line of time. */
  songs: AutoMixSong[];
  /** Seconds since the beginning at which each song is the one that is heard, and how long all takes. */
  starts: number[];
  duration: number;
  /** What a console does to play it from its first song; its events happen in their order. */
  script: ScriptDocument;
  /** Where in its events the first song and then each transition begins. */
  parts: number[];
}

export interface Methods {
  /**
   * A page takes up the decks of this kernel. `values` is what its engine is set to when it plays already, `seen` the last
   * change of the kernel that it had done by then (0 for a new page). Not `held`: another page has them; `take` takes
   * them from it. Among the values it gets are the places of decks, as `deck.N.seek`.
   */
  "decks.attach": {
    params: { page: string; take: boolean; values: Record<string, ControlValue> | null; seen: number; clock?: number };
    result: { held: boolean; values: Record<string, ControlValue>; n: number };
  };
  /** Which kernel this is: a page in which the decks of another notebook play asks before it attaches. */
  "decks.kernel": { params: Record<string, never>; result: { kernel: string } };
  /**
   * What has changed on the page, after the kernel's change number `seen` was done. One is under way at a time. The
   * changes of a page are numbered from 1 since it attached, `first` is the number of the first of these: a page that got
   * no answer sends them again, and none is done twice. `clock` is the page's time in s since the epoch: the kernel works
   * out how long a message lay there while a cell ran.
   */
  "decks.changes": {
    params: {
      page: string; changes: [string, ControlValue][]; first: number; seen: number; decks: DeckStand[]; clock?: number;
    };
    result: { held: boolean };
  };
  /** The page plays for this kernel no longer. */
  "decks.detach": { params: { page: string }; result: Record<string, never> };
  "decks.load": { params: { id: string }; result: DeckLoad };
  /** What a picture shows that stands for the decks where no page runs. */
  "decks.state": {
    params: Record<string, never>;
    result: {
      decks: {
        deck: number; title: string | null; artist: string | null; position: number; duration: number;
        tempo: number | null; playing: boolean;
      }[];
    };
  };
  /** Sets hot cue `slot` of a track; label and colour stay as they are when they are left out. */
  "decks.cue.set": {
    params: { id: string; slot: number; time: number; end: number | null; label?: string; color?: string };
    result: { cues: Cue[] };
  };
  "decks.cue.clear": { params: { id: string; slot: number }; result: { cues: Cue[] } };
  /** Brings back what was last overwritten or cleared in a slot; done twice, it is as before. */
  "decks.cue.restore": { params: { id: string; slot: number }; result: { cues: Cue[] } };
  /** Puts cues that were found into the free hot cues. */
  "decks.cue.fill": { params: { id: string }; result: { cues: Cue[] } };
  "scripts.list": { params: Record<string, never>; result: { scripts: ScriptRow[] } };
  "scripts.get": { params: { id: string }; result: { script: ScriptRow; document: ScriptDocument } };
  /** Writes a script; null makes a new one. */
  "scripts.save": {
    params: { id: string | null; name: string; document: ScriptDocument }; result: { script: ScriptRow };
  };
  "scripts.remove": { params: { id: string }; result: Record<string, never> };
  "scripts.restore": { params: { id: string }; result: Record<string, never> };
  /** Queues the job that renders a script to a song of the library. */
  "scripts.render": { params: { id: string }; result: { job: string } };
  "presets.list": { params: Record<string, never>; result: { presets: PresetRow[] } };
  "presets.save": { params: PresetRow; result: { presets: PresetRow[] } };
  "presets.remove": { params: { kind: PresetKind; name: string }; result: { presets: PresetRow[] } };
  /** All of them as one JSON text, and back. */
  "presets.export": { params: Record<string, never>; result: { name: string; text: string } };
  "presets.import": { params: { text: string }; result: { presets: PresetRow[]; taken: number } };
  /** Plans a mix of the tracks of a playlist, or of these. */
  "automix.plan": { params: { playlist?: string; ids?: string[] }; result: { plan: AutoMixPlan } };
  "automix.get": { params: { plan: string }; result: { plan: AutoMixPlan } };
  /** Changes one transition of a plan; what follows from it moves along. */
  "automix.change": {
    params: { plan: string; transition: number; change: Partial<Omit<TransitionRow, "reason">> };
    result: { plan: AutoMixPlan };
  };
  /** Other songs, or another order of them. */
  "automix.songs": { params: { plan: string; ids: string[] }; result: { plan: AutoMixPlan } };
  "automix.render": { params: { plan: string; name: string }; result: { job: string } };
  /** The master is recorded: the parts come in order, as 32 bit floats, left then right. */
  "recordings.begin": { params: { sample_rate: number }; result: { recording: string } };
  "recordings.append": { params: { recording: string; part: number }; result: { frames: number } };
  /** Queues the job that makes a song of it. */
  "recordings.finish": { params: { recording: string; name: string; format: "wav" | "flac" }; result: { job: string } };
  "recordings.discard": { params: { recording: string }; result: Record<string, never> };

  "tracks.page": {
    params: { query: string; sort: SortColumn; descending: boolean; offset: number; limit: number };
    result: { total: number; rows: TrackRow[] };
  };
  /** The ids of a range of a query: a selection reaches past the rows that were fetched. */
  "tracks.ids": {
    params: { query: string; sort: SortColumn; descending: boolean; offset: number; limit: number };
    result: { ids: string[] };
  };
  "tracks.run": { params: { ids: string[]; stages: Stage[] }; result: { jobs: string[] } };
  "tracks.remove": { params: { ids: string[] }; result: { removed: number } };
  "tracks.restore": { params: { ids: string[] }; result: Record<string, unknown> };
  "track.show": { params: { id: string }; result: TrackDetail };
  "track.open": { params: { id: string }; result: Record<string, unknown> };
  "player.load": { params: { id: string }; result: PlayerLoad };
  "stems.load": { params: { set: string }; result: StemsLoad };
  /** Makes it the set in use. */
  "stems.choose": { params: { set: string }; result: { sets: StemSet[] } };
  /** Can be taken back with `stems.restore` for as long as the trash is kept. */
  "stems.remove": { params: { set: string }; result: { sets: StemSet[] } };
  "stems.restore": { params: { set: string }; result: { sets: StemSet[] } };
  "analysis.load": { params: { id: string }; result: AnalysisLoad };
  "analysis.correct": {
    params: { [K in CorrectionKind]: { id: string; kind: K; value: CorrectionValues[K] } }[CorrectionKind];
    result: AnalysisLoad;
  };
  "analysis.undo": { params: { id: string }; result: AnalysisLoad };
  "analysis.similar": {
    params: { id: string; tempo: [number, number] | null; keys: "any" | "compatible"; limit: number };
    result: { rows: { track: TrackRow; distance: number; why: string }[] };
  };
  "cue.add": { params: { id: string; time: number; label: string; type: string }; result: { cues: Cue[] } };
  "cue.change": { params: { cue: string; time?: number; label?: string }; result: { cues: Cue[] } };
  "cue.remove": { params: { cue: string }; result: { cues: Cue[] } };
  /** A family's bundle for a page that loads it when it is wanted; the buffer is its JavaScript. */
  "widget.bundle": { params: { family: string }; result: { css: string } };
  "audio.bytes": { params: { id: string }; result: { mime: string } };
  "art.bytes": { params: { id: string }; result: { mime: string } };
  "jobs.list": {
    params: { status: JobGroup | "all"; queue: string | null; offset: number; limit: number };
    result: { jobs: JobRow[] } & JobsOverview;
  };
  "jobs.show": { params: { id: string }; result: JobDetail };
  "jobs.log": { params: { id: string; offset: number }; result: LogPart };
  /** From now on new lines of this job's log come as `jobs.log`, until the view names another, or none. */
  "jobs.watch": { params: { view: string; id: string | null }; result: Record<string, unknown> };
  "jobs.cancel": { params: { ids: string[] }; result: { cancelled: string[] } };
  "jobs.cancel_all": { params: { queue: string | null }; result: { cancelled: string[] } };
  "jobs.retry": { params: { ids: string[] }; result: { queued: string[] } };
  "jobs.retry_failed": { params: { queue: string | null }; result: { queued: string[] } };
  "jobs.prune": { params: Record<string, never>; result: { removed: number } };
  "separation.engines": { params: Record<string, never>; result: { engines: EngineInfo[] } };
  "separation.estimate": { params: SeparationRequest; result: SeparationEstimate };
  /** No jobs where these stems are there already; `force` makes them anew. */
  "separation.start": {
    params: SeparationRequest & { force?: boolean };
    result: { jobs: string[]; batch: string | null };
  };
  "weights.status": { params: Record<string, never>; result: WeightsStatus };
  /** Reads every byte again. */
  "weights.verify": { params: Record<string, never>; result: WeightsStatus };
  "weights.fetch": { params: { model: string; agreed: true }; result: { jobs: string[] } };
  "credentials.list": { params: Record<string, never>; result: { credentials: Credential[]; protection: string } };
  "credentials.put": { params: { name: string; value: string }; result: Record<string, unknown> };
  "credentials.remove": { params: { name: string }; result: Record<string, unknown> };
  /** What was last heard of the cloud's minutes; `refresh` asks anew, by a job. */
  "cloud.quota": {
    params: { refresh: boolean };
    result: { minutes_left: number | null; checked_at: string | null; jobs: string[] };
  };
  "batch.pause": { params: { batch: string }; result: Record<string, unknown> };
  "batch.resume": { params: { batch: string }; result: Record<string, unknown> };
  "batch.show": { params: { batch: string }; result: BatchState };
  "batch.cancel": { params: { batch: string }; result: { cancelled: string[] } };
  "export.start": { params: ExportRequest; result: { jobs: string[] } };
  /** The name of the file; of an archive, then those in it. */
  "export.preview": { params: ExportRequest; result: { names: string[] } };
  /** Earlier exports of a track, the newest first. */
  "export.list": { params: { id: string }; result: { exports: ExportRow[] } };
  "export.bytes": { params: { id: string }; result: { mime: string; name: string } };
  /** `fingerprint` names the file by what is in it: an upload that was cut off goes on where it was. */
  "upload.begin": {
    params: { name: string; size: number; fingerprint: string };
    result: { upload: string; received: number };
  };
  "upload.chunk": { params: { upload: string; offset: number }; result: { received: number } };
  /** A song, or a playlist file; jobs bring it into the library. */
  "upload.finish": { params: { upload: string; stages: Stage[] }; result: { jobs: string[]; batch: string | null } };
  "upload.abort": { params: { upload: string }; result: Record<string, unknown> };
  "playlists.list": { params: Record<string, never>; result: { playlists: PlaylistRow[] } };
  "playlists.page": {
    params: { id: string; offset: number; limit: number };
    result: { playlist: PlaylistRow; total: number; entries: PlaylistEntry[] };
  };
  /** The ids of the entries of a range, and their tracks: a selection reaches past those that were fetched. */
  "playlists.ids": {
    params: { id: string; offset: number; limit: number };
    result: { ids: string[]; tracks: (string | null)[] };
  };
  "playlists.create": {
    params: { name: string; filter?: PlaylistFilter | null; tracks?: string[] };
    result: { playlist: PlaylistRow };
  };
  "playlists.rename": { params: { id: string; name: string }; result: { playlist: PlaylistRow } };
  "playlists.filter": { params: { id: string; filter: PlaylistFilter }; result: { playlist: PlaylistRow } };
  /** How many tracks a filter would find, in a person's words what it asks for, and the first of them. */
  "playlists.try": {
    params: { filter: PlaylistFilter };
    result: { count: number; sentence: string; rows: TrackRow[] };
  };
  /** Can be taken back with `playlists.restore` for as long as the trash is kept. */
  "playlists.remove": { params: { id: string }; result: Record<string, unknown> };
  "playlists.restore": { params: { id: string }; result: { playlist: PlaylistRow } };
  /** `at`: before which place; null for the end. `entries` are the new places. */
  "playlists.add": { params: { id: string; tracks: string[]; at: number | null }; result: { entries: string[] } };
  /** Can be taken back with `playlists.put_back`. */
  "playlists.take_out": { params: { id: string; entries: string[] }; result: Record<string, unknown> };
  "playlists.put_back": { params: { id: string; entries: string[] }; result: Record<string, unknown> };
  /** Moves entries, together and in their order, so that the first of them is at place `to`; `before` is how it was. */
  "playlists.move": { params: { id: string; entries: string[]; to: number }; result: { before: string[] } };
  /** Puts all entries into an order: the way back from a move. */
  "playlists.order": { params: { id: string; entries: string[] }; result: { before: string[] } };
  /** The buffer is the M3U8 file. */
  "playlists.export": { params: { id: string }; result: { name: string } };
  /** Downloads the songs of these entries, or of all, that are not here. */
  "playlists.download": {
    params: { id: string; entries: string[] | null; stages: Stage[] };
    result: { jobs: string[]; batch: string | null };
  };
  /** Reads a link, asking nobody; fails with the reason when it is none. */
  "links.parse": { params: { text: string }; result: { link: string; kind: LinkKind } };
  /** Asks the service, by a job. */
  "links.look": { params: { link: string }; result: { jobs: string[] } };
  "links.preview": { params: { link: string }; result: { preview: LinkPreview | null } };
  /** Brings the songs in: as a playlist, and with `download` as tracks. */
  "links.import": {
    params: { link: string; download: boolean; stages: Stage[] };
    result: { jobs: string[]; batch: string | null };
  };
  "spotify.state": { params: Record<string, never>; result: SpotifyState };
  /** The address to open, where a person agrees; this computer then waits for the answer for some minutes. */
  "spotify.login": { params: Record<string, never>; result: { url: string } };
  /** For a browser on another machine: the address that it was sent to. */
  "spotify.paste": { params: { url: string }; result: Record<string, unknown> };
  "spotify.logout": { params: Record<string, never>; result: Record<string, unknown> };
  /** What the service last told of the playlists of who is logged in; `refresh` asks anew, by a job. */
  "spotify.playlists": {
    params: { refresh: boolean };
    result: {
      playlists: { link: string; name: string; owner: string; total: number; playlist: string | null }[];
      fetched_at: string | null;
      jobs: string[];
    };
  };
  "downloads.state": { params: Record<string, never>; result: DownloadsState };
  /** Switching on means that a person agrees to the notice. */
  "downloads.switch": { params: { on: boolean; agreed: boolean }; result: Record<string, unknown> };
  "tools.install": { params: { tool: string }; result: { jobs: string[] } };
  "folders.list": { params: Record<string, never>; result: { folders: FolderRow[]; roots: string[] } };
  /** The folders in a folder that a page may look into; the roots for null. */
  "folders.browse": {
    params: { path: string | null };
    result: { path: string | null; parent: string | null; folders: { name: string; path: string }[]; songs: number };
  };
  /** Imports a folder, an audio file or a playlist file of the computer that the kernel runs on. */
  "folders.import": {
    params: { path: string; reference: boolean; watch: boolean; stages: Stage[] };
    result: { jobs: string[]; batch: string | null };
  };
  "folders.watch": { params: { id: string; watch: boolean }; result: { folder: FolderRow } };
  "folders.scan": { params: { id: string }; result: { jobs: string[]; batch: string | null } };
  /** Forgets the folder; its tracks stay. */
  "folders.forget": { params: { id: string }; result: Record<string, unknown> };
  "demo.add": { params: Record<string, never>; result: { tracks: string[] } };
  doctor: {
    params: Record<string, never>;
    result: { checks: DoctorCheck[]; version: string; home: string };
  };
}

/** Events that the kernel pushes. */
export interface Events {
  /** The kernel changed controls; `n` numbers its messages to a page without a gap. `page` alone is meant. */
  "control.set": { page: string; changes: [string, ControlValue][]; n: number };
  /**
   * The kernel wants a script played; null stops the one of this tag. Without its `opening` it changes what stands, from
   * what is heard on, and sets nothing first: a crossfade.
   */
  "decks.play": { page: string; tag: string; script: ScriptDocument | null; opening: boolean };
  /** Record what is played as a script until told otherwise. */
  "decks.record": { page: string; on: boolean };
  /** Whether the page that has the decks is still there: it sends `decks.changes` at once, however little it has to say. */
  "decks.ask": { page: string };
  /** Another page has taken the decks. */
  "decks.lost": { page: string };
  /** Hot cues of a track changed, here or elsewhere. */
  "decks.cues": { id: string; cues: Cue[] };
  /** A plan was changed from Python, or `page` is to play it: look at it with `automix.get`. */
  "automix.plan": { plan: string; play: boolean; page?: string };
  "scripts.changed": Record<string, never>;
  "presets.changed": Record<string, never>;
  "tracks.rows": { rows: TrackRow[] };
  "tracks.changed": Record<string, never>;
  "jobs.rows": { jobs: JobRow[] } & JobsOverview;
  /** More jobs changed than are worth telling one by one. */
  "jobs.changed": JobsOverview;
  "jobs.log": { id: string } & LogPart;
  "player.open": { id: string };
  "player.play": Record<string, never>;
  "player.pause": Record<string, never>;
  "player.seek": { time: number };
  "player.refresh": { id: string };
  /** Playlists came, went or changed; no ids: look at all of them. */
  "playlists.changed": { ids: string[] };
  /** Folders, tools, logins or what a service told have changed. */
  "sources.changed": { what: ("folders" | "tools" | "spotify" | "lookups" | "downloads")[] };
  /** Somebody corrected this analysis, here or elsewhere. */
  "analysis.changed": { id: string } & ByHand;
  notice: Notice;
}

export interface PlayerState {
  trackId: string | null;
  playing: boolean;
  /** Seconds. */
  position: number;
  duration: number;
  /** Seconds, [start, end]. */
  selection: [number, number] | null;
}

/** What the dashboard holds of a mounted player. */
export interface PlayerHandle {
  open(trackId: string, opts?: { play?: boolean }): Promise<void>;
  play(): void;
  pause(): void;
  seek(seconds: number): void;
  onState(callback: (state: PlayerState) => void): () => void;
}
