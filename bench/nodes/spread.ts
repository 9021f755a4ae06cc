/** The time from the answer of a change on one node until another node decides by it. @module */
import { randomUUID } from 'node:crypto'
import { CreateAliasCommand } from '@aws-sdk/client-kms'
import { clientsOf, newKey } from '../data.ts'
import { createLatencies } from '../latencies.ts'
import { region, root, type Server } from '../servers.ts'
import { createSigner, signedHeaders } from '../sign.ts'
import { print } from '../table.ts'
import { startNodes, type Database } from './postgres.ts'

type Ask = (operation: string, input: object) => Promise<Readonly<Record<string, unknown>>>

/** Calls a node over a connection that stays open. */
function callsOf({ port }: Server): Ask {
  return async (operation, input) => {
    const { accessKeyId, secretAccessKey } = root
    const signer = createSigner(`127.0.0.1:${port}`, region, accessKeyId, secretAccessKey)
    const body = JSON.stringify({ ...input, Serial: randomUUID() })
    const headers = signedHeaders(signer, operation, body)
    const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${operation}: ${answer.status} ${text}`)
    return text === '' ? {} : (JSON.parse(text) as Readonly<Record<string, unknown>>)
  }
}

export async function measureSpread(postgres: Database, changes: number): Promise<void> {
  const nodes = await startNodes(await postgres.create('spread'), 2)
  const [one, other] = nodes
  if (one === undefined || other === undefined) throw new Error('there are no two nodes')
  const { kms, iam } = clientsOf(one)
  const keys = [await newKey(kms), await newKey(kms)]
  const AliasName = 'alias/spread'
  await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: keys[1] }))
  kms.destroy()
  iam.destroy()
  const [change, use] = [callsOf(one), callsOf(other)]
  const [spread, calls] = [createLatencies(), createLatencies()]
  const warming = Math.ceil(changes / 4)
  for (let number = 0; number < warming + changes; number += 1) {
    const TargetKeyId = keys[number % 2] ?? ''
    const seen = usedAt(use, AliasName, TargetKeyId, number < warming ? createLatencies() : calls)
    await change('UpdateAlias', { AliasName, TargetKeyId })
    const answered = performance.now()
    const ms = Math.max(0, (await seen) - answered)
    if (number >= warming) spread.add(ms)
  }
  const shown = (share: number): string => spread.percentile(share).toFixed(1)
  print(`\nA change on another node: ${changes} changes, ms after the answer`)
  print(`p50 ${shown(0.5)}  p99 ${shown(0.99)}  max ${shown(1)}`)
  print(`One call on the other node meanwhile: p50 ${calls.percentile(0.5).toFixed(1)} ms`)
  for (const node of nodes) await node.stop()
}

/** Uses the alias again and again. @returns when the first answer came by the changed one */
async function usedAt(
  use: Ask,
  KeyId: string,
  expected: string,
  calls: { readonly add: (milliseconds: number) => void },
): Promise<number> {
  for (;;) {
    const since = performance.now()
    const { KeyId: arn } = await use('Encrypt', { KeyId, Plaintext: 'AAAA' })
    calls.add(performance.now() - since)
    if (String(arn).endsWith(expected)) return performance.now()
  }
}
