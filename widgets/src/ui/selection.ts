/** Which rows are chosen, where the cursor is, and from where a range grows. */

export class Selection {
  readonly #ids = new Set<string>();
  /** The row that the keyboard acts on; -1 before any. */
  cursor = -1;
  /** Where a range began. */
  anchor = -1;

  get size(): number {
    return this.#ids.size;
  }

  get ids(): string[] {
    return [...this.#ids];
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** A plain click or arrow: this row and no other. */
  only(index: number, id: string): void {
    this.#ids.clear();
    this.#ids.add(id);
    this.cursor = index;
    this.anchor = index;
  }

  /** Ctrl with a click or space: in or out. */
  toggle(index: number, id: string): void {
    if (!this.#ids.delete(id)) this.#ids.add(id);
    this.cursor = index;
    this.anchor = index;
  }

  /** Shift: everything from the anchor to `index`; `ids` are those of the range. */
  range(index: number, ids: string[]): void {
    this.#ids.clear();
    for (const id of ids) this.#ids.add(id);
    this.cursor = index;
  }

  /** The bounds of a range that ends at `index`. */
  span(index: number): [number, number] {
    const from = this.anchor < 0 ? index : this.anchor;
    return [Math.min(from, index), Math.max(from, index)];
  }

  /** Takes a set chosen elsewhere, keeping the cursor. */
  replace(ids: Iterable<string>): void {
    this.#ids.clear();
    for (const id of ids) this.#ids.add(id);
  }

  clear(): void {
    this.#ids.clear();
  }

  /** The cursor stays on its number when rows leave; only past the end it moves up. */
  clamp(total: number): void {
    this.cursor = Math.min(this.cursor, total - 1);
    this.anchor = Math.min(this.anchor, total - 1);
  }

  sameAs(ids: readonly string[]): boolean {
    return ids.length === this.#ids.size && ids.every((id) => this.#ids.has(id));
  }
}
