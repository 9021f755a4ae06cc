/** Gauges of a node, and of the other nodes that it sees. @module */
import type { Config } from '../config.ts'
import type { Labelled, Readers } from '../metrics/gauges.ts'
import { silentMsMax } from '../model/node.ts'
import type { RunningNode } from './node.ts'
import { silentMs } from './nodes.ts'
import { othersIn } from './other-nodes.ts'

/** An embedded database is always fresh, and there is one of it. */
export function nodeReaders(
  node: RunningNode | undefined,
  { freshnessSeconds }: Pick<Config, 'freshnessSeconds'>,
): Readers {
  const replication = (): string => node?.replication() ?? 'single'
  const of = (names: readonly string[], count: (name: string) => number): Record<string, number> =>
    Object.fromEntries(names.map((name) => [name, count(name)]))
  return {
    trent_freshness_seconds: () => {
      const age = node === undefined ? 0 : node.ageMs()
      return age === undefined ? undefined : age / 1000
    },
    trent_freshness_bound_seconds: () => freshnessSeconds,
    trent_replication: () =>
      of(['synchronous', 'degraded', 'single'], (each) => Number(each === replication())),
    trent_nodes: () =>
      node &&
      of(
        ['serving', 'draining', 'drained', 'gone'],
        (each) => node.nodes().filter(({ state }) => state === each).length,
      ),
    trent_node_silent_seconds: () => node && silentNodes(node),
    trent_clock_differs: () => Number(node?.clockDiffers() !== undefined),
    trent_clock_offset_seconds: () => {
      const offset = node?.clockOffset()
      return offset && offset.ms / 1000
    },
  }
}

function silentNodes(node: RunningNode): readonly Labelled[] {
  return othersIn(node.nodes(), node.nodeId)
    .filter((each) => silentMs(each, node) > silentMsMax)
    .flatMap((each) =>
      each.positions.map(({ stream, segment, offset }) => ({
        labels: {
          node: each.nodeId,
          name: each.name,
          stream,
          segment: String(segment),
          offset: String(offset),
        },
        value: silentMs(each, node) / 1000,
      })),
    )
}
