/** Loads several servers in alternating rounds, and adds up what the rounds of each one showed. @module */
import { joinLatencies, type Latencies } from './latencies.ts'
import { closedLoop, eachOf, type Load } from './load.ts'
import type { Server } from './servers.ts'
import { addUsage, mainTime, readMemory, readUsage, usageBetween, type Usage } from './usage.ts'

export interface Contender {
  readonly name: string
  readonly server: Server
  /** Prepared requests, all different. */
  readonly requests: (count: number) => Buffer[]
  /** Requests of a round. */
  readonly ofRound: number
}

/** All rounds of one contender. */
export interface Total {
  readonly requests: number
  readonly seconds: number
  readonly usage: Usage
  /** Bytes of all answers. */
  readonly received: number
  readonly latencies: Latencies
}

/** Rounds alternate between the contenders, so that all run under the same load of the machine. */
export async function inRounds(
  contenders: readonly Contender[],
  rounds: number,
  run: (server: Server, requests: readonly Buffer[]) => Promise<Load>,
  mostInRound = Infinity,
): Promise<ReadonlyMap<Contender, Total>> {
  const totals = new Map<Contender, Total>()
  for (let round = 0; round < rounds; round += 1) {
    for (const contender of contenders) {
      const { server, requests, ofRound } = contender
      const fresh = requests(Math.min(ofRound, mostInRound))
      const before = readUsage(server.pid)
      const { seconds, latencies, received } = await run(server, fresh)
      const usage = usageBetween(before, readUsage(server.pid))
      const total = totals.get(contender)
      totals.set(contender, {
        requests: fresh.length + (total?.requests ?? 0),
        seconds: seconds + (total?.seconds ?? 0),
        usage: total === undefined ? usage : addUsage(total.usage, usage),
        received: received + (total?.received ?? 0),
        latencies: total === undefined ? latencies : joinLatencies(total.latencies, latencies),
      })
    }
  }
  return totals
}

const triedFirst = 256

/**
 * Warms a server up. Returns the bytes of an answer and the number of requests in a round.
 * @param least requests that it sends in any case; a server that is slow gets no more
 * @param most requests of a round
 * @param seconds that a round may take
 */
export async function warmUp(
  { port }: Server,
  requests: (count: number) => Buffer[],
  bounds: {
    readonly connections: number
    readonly least: number
    /** However slow the server is: each key is used once, so that no round is the first to read it. */
    readonly always: number
    readonly most: number
    readonly seconds: number
  },
): Promise<{ readonly answerBytes: number; readonly ofRound: number }> {
  const { connections, least, always, most, seconds } = bounds
  const load = (count: number): Promise<Load> =>
    closedLoop(port, eachOf(requests(count)), connections)
  const first = await load(Math.min(triedFirst, least))
  const affordable = (rate: number): number => Math.ceil(Math.min(most, rate * seconds))
  const expected = affordable(triedFirst / first.seconds)
  const warm = await load(Math.max(1, always, expected < most ? expected : least))
  return {
    answerBytes: warm.answerBytes,
    ofRound: affordable(warm.latencies.count / warm.seconds),
  }
}

/** Bytes written to files. NaN for programs that send answers in a way that the kernel does not count as writing. */
export function bytesWritten({ usage, received }: Total): number {
  return usage.written < received ? NaN : usage.written - received
}

/** The figures of a row, by column. Microseconds are those of CPU time a request. */
export type Figures = Readonly<Record<string, number>>

/**
 * @param floor the floor under the same load; without it, there are no ratios
 * @param paced the floor in an open loop, at the rate of this server's closed loop
 */
export function figures({ pid }: Server, total: Total, floor?: Total, paced?: Total): Figures {
  const { requests, seconds, usage, latencies } = total
  const micros = (nanoseconds: number | undefined, of: Total): number =>
    (nanoseconds ?? NaN) / of.requests / 1000
  const [p50, p99] = [latencies.percentile(0.5), latencies.percentile(0.99)]
  const serving = micros(mainTime(usage), total)
  const all = micros(usage.process, total)
  return {
    'req/s': requests / seconds,
    'p50 ms': p50,
    'p99 ms': p99,
    'p99/p50': p99 / p50,
    'main µs': serving,
    'process µs': all,
    ...(floor && {
      'main/floor': micros(mainTime(floor.usage), floor) / serving,
      'process/floor': micros(floor.usage.process, floor) / all,
    }),
    ...(paced && { 'main/paced': micros(mainTime(paced.usage), paced) / serving }),
    'KB files': bytesWritten(total) / requests / 1000,
    MB: readMemory(pid) / 1e6,
    'others %': usage.others / seconds / 1e7,
  }
}
