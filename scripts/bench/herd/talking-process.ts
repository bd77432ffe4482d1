import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A script of this folder as a process of its own, which answers each question in its turn. */
export interface TalkingProcess {
  pid: number;
  ask<Answer>(question: unknown): Promise<Answer>;
  stop(): Promise<void>;
}

/**
 * Starts it, and waits until it says that it is ready. It talks over a channel of its own: Temporal's runtime writes its
 * warnings to the standard output.
 */
export async function startTalkingProcess(script: string, options: unknown): Promise<TalkingProcess> {
  const file = join(import.meta.dirname, script);
  const child = spawn(process.execPath, ['--import', 'tsx', file, JSON.stringify(options)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const ended = exited.then(() => {
    throw new Error(`${script} of the benchmark ended`);
  });
  ended.catch(() => undefined);
  const next = async (): Promise<unknown> => {
    const [answer] = (await Promise.race([once(child, 'message'), ended])) as [unknown];
    return answer;
  };
  await next();
  return {
    pid: child.pid!,
    async ask<Answer>(question: unknown) {
      const answer = next();
      child.send({ question });
      return (await answer) as Answer;
    },
    async stop() {
      // Temporal's runtime would take any other signal for the wish to drain, and there is nothing left to do.
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** The other end: says that it is ready, and answers until nobody asks any more. */
export function answerQuestions<Question>(answer: (question: Question) => Promise<unknown>): void {
  process.on('message', ({ question }: { question: Question }) => {
    void answer(question).then((answered) => process.send!(answered ?? null));
  });
  // Whoever started it is gone.
  process.on('disconnect', () => process.exit());
  process.send!('ready');
}
