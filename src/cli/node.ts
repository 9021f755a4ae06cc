/** `trent node list`, `drain` and `retire`, through the operator door. @module */
import { setTimeout as delay } from 'node:timers/promises'
import { ConfigError, loadConfig } from '../config.ts'
import { callOperator } from '../operator/client.ts'
import type { DrainedNode, ShownNode } from '../operations/contract/node-controls.ts'
import { readNodeState } from '../store/postgres/postgres-state.ts'
import { printed } from './printed.ts'

interface Options {
  readonly json?: true
}

export async function listNodes(configFile: string | undefined, options: Options): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    const answer = await callOperator(operatorDirectory, 'ListNodes')
    return [answer as { readonly nodes: readonly ShownNode[] }, listText] // the same program answers
  })
}

function listText({ nodes }: { readonly nodes: readonly ShownNode[] }): string {
  return nodes.map(nodeText).join('')
}

function nodeText(node: ShownNode): string {
  const { nodeId, name, state, self, silentSeconds, clockOffset, change, positions } = node
  const places = positions.map(
    ({ stream, segment, offset }) => `    ${stream}: segment ${segment}, offset ${offset}\n`,
  )
  const clock = `clock ${clockOffset >= 0 ? '+' : ''}${clockOffset} ms`
  return (
    `${nodeId}  ${name}  ${state}${self ? '  (this node)' : ''}\n` +
    `    confirmed ${silentSeconds} s ago, change ${change}, ${clock}\n${places.join('')}`
  )
}

/** A stop, and the delivery of what is left. */
const endMsMax = 180_000
const pollMs = 300

export async function drainNode(
  configFile: string | undefined,
  options: Options & { readonly last?: true },
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory, databaseUrl } = loadConfig(process.env, configFile)
    const answer = await callOperator(operatorDirectory, 'DrainNode', {
      last: options.last === true,
    })
    const drained = answer as ShownNode & DrainedNode // the same program answers
    if (databaseUrl === undefined)
      throw new ConfigError('TRENT_DATABASE_URL is not set: use the settings of the server')
    const { nodeId } = drained
    const state = await endOfDrain(databaseUrl, nodeId)
    if (state !== 'drained') {
      const next = 'its log says why. Start it again, and drain it again'
      throw new ConfigError(`the node ${nodeId} did not deliver everything: ${next}`)
    }
    const final: ShownNode & DrainedNode = { ...drained, state: 'drained' }
    return [final, drainedText]
  })
}

/** The node ends before it is drained, so the database says how that went. */
async function endOfDrain(databaseUrl: string, nodeId: string): Promise<string | undefined> {
  const until = performance.now() + endMsMax
  for (;;) {
    const state = await readNodeState(databaseUrl, nodeId)
    if (state !== 'draining' || performance.now() > until) return state
    await delay(pollMs)
  }
}

function drainedText({ nodeId, delivers }: ShownNode & DrainedNode): string {
  const where = delivers
    ? 'everything is delivered'
    : 'nothing is delivered anywhere, so keep its journal'
  return `the node ${nodeId} is drained: ${where}. It does not start again\n`
}

export async function retireNode(
  configFile: string | undefined,
  nodeId: string,
  options: Options & { readonly yes?: true },
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    if (options.yes !== true) {
      throw new ConfigError(
        `the records that only the journal of ${nodeId} holds are lost. If its volume is there, start ` +
          'the node and drain it instead. To give it up, add --yes',
      )
    }
    const answer = await callOperator(operatorDirectory, 'RetireNode', { nodeId })
    return [answer as ShownNode, retiredText] // the same program answers
  })
}

function retiredText(node: ShownNode): string {
  return `given up, and refused if it comes back. Its last committed position:\n${nodeText(node)}`
}
