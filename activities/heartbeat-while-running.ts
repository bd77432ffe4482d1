import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory } from '@temporalio/worker';

/** Three may be lost before the host counts as gone. Each is a write to Temporal's database, for each host that is watched. */
const BEATS_IN_TIMEOUT = 4;
/** Of those without a timeout, which nobody would miss: what is cancelled hears of it by a beat. */
const UNTIMED_BEAT_MS = 2_000;

/** Beats for activities that have no progress of their own to tell, so that a killed process is noticed in seconds. */
export const heartbeatWhileRunning: ActivityInterceptorsFactory = (context) => ({
  inbound: {
    async execute(input, next) {
      const { heartbeatTimeoutMs } = context.info;
      const beatMs = heartbeatTimeoutMs ? heartbeatTimeoutMs / BEATS_IN_TIMEOUT : UNTIMED_BEAT_MS;
      const timer = setInterval(() => context.heartbeat(), beatMs);
      try {
        return await next(input);
      } finally {
        clearInterval(timer);
      }
    },
  } satisfies ActivityInboundCallsInterceptor,
});
