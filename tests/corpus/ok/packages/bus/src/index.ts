import type { Envelope } from '@tidewater/contracts';

type Handler = (envelope: Envelope<unknown>) => Promise<void>;

/** Delivers each envelope once per id; one that fails three times becomes a dead letter. */
export class Bus {
  readonly deadLetters: Envelope<unknown>[] = [];
  private readonly seen = new Set<string>();
  private readonly handlers = new Map<string, Handler>();

  subscribe(type: string, handler: Handler): void {
    this.handlers.set(type, handler);
  }

  async publish(envelope: Envelope<unknown>): Promise<void> {
    if (this.seen.has(envelope.id)) return;
    this.seen.add(envelope.id);
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      try {
        await this.handlers.get(envelope.type)?.(envelope);
        return;
      } catch (error) {
        if (attempt === 3) this.deadLetters.push(envelope);
      }
    }
  }
}
