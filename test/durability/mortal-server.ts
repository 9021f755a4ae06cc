/** A server that is killed whenever the test says, and begins again on the same data. @module */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { KMSClient } from '@aws-sdk/client-kms'
import { end, serve, type Settings } from '../start/serve-process.ts'
import { assertClean } from './clean-log.ts'
import { clientOf } from './fixed-account.ts'

export interface MortalServer {
  readonly url: () => string
  readonly client: (region: string) => KMSClient
  readonly deaths: () => number
  /** Kills it, and starts it again. */
  die(): Promise<void>
  /**
   * Kills it while it is at `work`, and starts it again. Answers what the work has come to, or undefined where
   * it died before it had said so.
   */
  dieDuring<T>(work: () => Promise<T>, afterMs: number): Promise<{ readonly answer: T } | undefined>
  /** Stops it as an operator does. */
  stop(): Promise<void>
}

export async function openMortalServer(
  t: TestContext,
  folder: string,
  settings: Settings,
): Promise<MortalServer> {
  let running = await serve(t, folder, settings)
  let deaths = 0
  const clients = new Map<string, KMSClient>()
  const forget = (): void => {
    for (const client of clients.values()) client.destroy()
    clients.clear()
  }
  const kill = async (): Promise<void> => {
    assert.deepEqual(await end(running, 'SIGKILL'), { code: null, signal: 'SIGKILL' })
    assertClean(running)
    deaths += 1
  }
  const begin = async (): Promise<void> => {
    forget()
    running = await serve(t, folder, settings)
  }
  return {
    url: () => running.url,
    client(region) {
      const client = clients.get(region) ?? clientOf(running, region)
      clients.set(region, client)
      return client
    },
    deaths: () => deaths,
    async die() {
      await kill()
      await begin()
    },
    async dieDuring(work, afterMs) {
      const killed = delay(afterMs).then(kill)
      const came = await work().then(
        (answer) => ({ answer }),
        () => undefined,
      )
      await killed
      await begin()
      return came
    },
    async stop() {
      forget()
      assert.deepEqual(await end(running, 'SIGTERM'), { code: 0, signal: null })
      assertClean(running)
    },
  }
}
