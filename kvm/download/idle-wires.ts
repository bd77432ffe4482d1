import type { TrustAnchors } from '../keystore/trust.js';
import type { Wire } from './wire.js';

interface IdleWire {
  wire: Wire;
  /** What its server was checked against. */
  anchors: TrustAnchors;
}

/** Connections that wait for the next request to their origin. */
export class IdleWires {
  readonly #idle = new Map<string, IdleWire[]>();
  #isClosed = false;

  keep(origin: string, wire: Wire, anchors: TrustAnchors): void {
    if (this.#isClosed) return void wire.socket.destroy();
    const others = (this.#idle.get(origin) ?? []).filter((kept) => kept.wire.isUsable);
    this.#idle.set(origin, [...others, { wire, anchors }]);
  }

  take(origin: string, anchors: TrustAnchors): Wire | undefined {
    const idle = this.#idle.get(origin);
    for (let kept = idle?.pop(); kept; kept = idle?.pop()) {
      // The certificate that its server was trusted for may have been revoked since.
      if (kept.wire.isUsable && kept.anchors === anchors) return kept.wire;
      kept.wire.socket.destroy();
    }
    return undefined;
  }

  close(): void {
    this.#isClosed = true;
    for (const { wire } of [...this.#idle.values()].flat()) wire.socket.destroy();
  }
}
