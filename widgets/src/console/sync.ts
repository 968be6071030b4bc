/** Which deck the others follow. */

import type { Deck } from "./deck";

export class Sync {
  readonly #decks: readonly Deck[];
  leader: Deck | null = null;
  /** Whether it was synced itself when it became the leader. */
  #synced = false;

  constructor(decks: readonly Deck[]) {
    this.#decks = decks;
  }

  /** Sees who leads now; called whenever anything that matters has changed. */
  elect(): void {
    const before = this.leader;
    const leader = this.#choose();
    if (leader === before) return;
    this.leader = leader;
    this.#synced = leader?.values.isOn("sync") ?? false;
    for (const deck of this.#decks) deck.tempo.led(leader, before);
  }

  /** A deck was made the leader by hand, or no longer is. */
  appointed(deck: Deck): void {
    if (deck.values.isOn("leader")) {
      for (const other of this.#decks) if (other !== deck) other.values.put("leader", 0);
    }
    this.elect();
  }

  /** A deck has stopped: another one that plays takes over. */
  stopped(deck: Deck): void {
    if (this.#running().length > 0) deck.values.put("leader", 0);
    this.elect();
  }

  /** The leader that a deck follows; null when it follows none. */
  leaderOf(deck: Deck): Deck | null {
    const { leader } = this;
    return leader !== null && leader !== deck && deck.grid !== null && deck.values.isOn("sync") ? leader : null;
  }

  #choose(): Deck | null {
    const running = this.#running();
    const appointed = this.#decks.find((deck) => deck.values.isOn("leader") && deck.grid !== null);
    if (appointed && (appointed.running || running.length === 0)) return appointed;
    // Whoever leads goes on leading, until it stops or is told to follow.
    const { leader } = this;
    if (leader && running.includes(leader) && (this.#synced || !leader.values.isOn("sync"))) return leader;
    const free = running.filter((deck) => !deck.values.isOn("sync"));
    const longest = (best: Deck | null, deck: Deck) => (best === null || deck.since < best.since ? deck : best);
    return (free.length > 0 ? free : running).reduce(longest, null);
  }

  #running(): Deck[] {
    return this.#decks.filter((deck) => deck.running && deck.grid !== null);
  }
}
