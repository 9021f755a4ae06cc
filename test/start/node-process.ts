/** Nodes of one deployment, as processes. @module */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { KMSClient } from '@aws-sdk/client-kms'
import { serve, temporaryFolder, type Serving, type Settings } from './serve-process.ts'

const root = {
  TRENT_ROOT_ACCESS_KEY_ID: 'CIROOT',
  TRENT_ROOT_SECRET_ACCESS_KEY: 'ci-root-secret',
} as const

export interface Node extends Serving {
  readonly client: KMSClient
  readonly folder: string
}

export const credentials = {
  accessKeyId: root.TRENT_ROOT_ACCESS_KEY_ID,
  secretAccessKey: root.TRENT_ROOT_SECRET_ACCESS_KEY,
} as const

/** @param folder of an earlier process of the node, to start it again */
export async function startNode(
  t: TestContext,
  settings: Settings,
  folder = temporaryFolder(t),
): Promise<Node> {
  const serving = await serve(t, folder, { ...root, ...settings })
  const client = new KMSClient({
    endpoint: serving.url,
    region: 'us-west-2',
    maxAttempts: 1,
    credentials,
  })
  t.after(() => client.destroy())
  return { ...serving, client, folder }
}

export async function readiness({ url }: Serving): Promise<Readonly<Record<string, unknown>>> {
  return (await (await fetch(`${url}/readyz`)).json()) as Readonly<Record<string, unknown>>
}

export async function metric({ url }: Serving, line: RegExp): Promise<string> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return line.exec(text)?.[1] ?? ''
}

/** The name of the error that a call is refused with. */
export async function refusedWith(call: Promise<unknown>): Promise<string> {
  return await call.then(
    () => 'no error',
    (error: unknown) => (error instanceof Error ? error.name : String(error)),
  )
}

/** @param boundMs in which it must come true */
export async function eventually(boundMs: number, what: () => Promise<boolean>): Promise<number> {
  const since = performance.now()
  while (!(await what())) {
    if (performance.now() - since > boundMs) assert.fail(`not within ${boundMs} ms`)
    await sleep(20)
  }
  return performance.now() - since
}
