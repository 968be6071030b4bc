/** Which files a person means: what a chooser offers, and what is in a folder that was dropped. */

/** What a file chooser offers; the kernel decides what it can read. */
export const ACCEPT =
  "audio/*,.mp3,.flac,.wav,.wave,.aiff,.aif,.ogg,.oga,.opus,.m4a,.aac,.mp4,.m3u,.m3u8,.xml";

const ENDINGS = ACCEPT.split(",").filter((part) => part.startsWith("."));
/** A folder may be full of XML that has nothing to do with music: one names such a file to have it read. */
const IN_FOLDERS = ENDINGS.filter((ending) => ending !== ".xml");

/** Whether a file that lies in a folder of songs is one of them; what a person names is taken at its word. */
export function isMusic(file: File): boolean {
  const name = file.name.toLowerCase();
  return !name.startsWith(".") && IN_FOLDERS.some((ending) => name.endsWith(ending));
}

/**
 * The files of a drop; of each folder the songs and playlists in it, however deep.
 *
 * It asks for what was dropped at once: after the event there is nothing to ask any more.
 */
export async function droppedFiles(data: DataTransfer | null): Promise<File[]> {
  if (!data) return [];
  const items = [...data.items].filter((item) => item.kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry?.() ?? null);
  const files = [...data.files];
  const lists = await Promise.all(files.map((file, i) => {
    const entry = entries[i];
    return entry?.isDirectory ? filesBelow(entry as FileSystemDirectoryEntry) : [file];
  }));
  return lists.flat();
}

async function filesBelow(folder: FileSystemDirectoryEntry): Promise<File[]> {
  const found: File[] = [];
  // Not by recursion over promises: ten thousand files at once are more than a browser opens.
  const waiting: FileSystemEntry[] = [folder];
  for (let entry = waiting.shift(); entry; entry = waiting.shift()) {
    if (entry.name.startsWith(".")) continue;
    if (entry.isDirectory) {
      waiting.push(...await entriesOf(entry as FileSystemDirectoryEntry));
    } else {
      const file = await fileOf(entry as FileSystemFileEntry);
      if (file && isMusic(file)) found.push(file);
    }
  }
  return found;
}

/** A browser tells a hundred at a time, and none when it has told all; what cannot be read has none. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (some.length === 0) break;
    all.push(...some);
  }
  return all.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
}

function fileOf(entry: FileSystemFileEntry): Promise<File | null> {
  return new Promise((resolve) => entry.file(resolve, () => resolve(null)));
}
