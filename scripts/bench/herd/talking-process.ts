import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A script of this folder as a process of its own, which answers each line with a line, both JSON. */
export interface TalkingProcess {
  pid: number;
  ask<Answer>(question: unknown): Promise<Answer>;
  stop(): Promise<void>;
}

/** Starts it, and waits until it says its first line. */
export async function startTalkingProcess(script: string, options: unknown): Promise<TalkingProcess> {
  const file = join(import.meta.dirname, script);
  const child = spawn(process.execPath, ['--import', 'tsx', file, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`${script} of the benchmark ended`);
    return JSON.parse(value);
  };
  await next();
  return {
    pid: child.pid!,
    async ask<Answer>(question: unknown) {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      return (await next()) as Answer;
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
  const say = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
  say('ready');
  createInterface({ input: process.stdin })
    .on('line', (line) => void answer(JSON.parse(line) as Question).then(say))
    // Whoever started it is gone.
    .on('close', () => process.exit());
}
