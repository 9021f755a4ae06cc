/** Proxies that may answer late, for tests whose servers are in the same process. @module */
import type { TestContext } from 'node:test'
import { proxyTimeoutMs } from '../../../src/keystores/external/proxy-client.ts'

/** Far more than a busy machine needs. */
const patientMs = 60_000

/** @param isPatient whether a call that begins now may be late; every one may unless given */
export function letProxiesBeLate(t: TestContext, isPatient: () => boolean = () => true): void {
  const timeout = AbortSignal.timeout.bind(AbortSignal)
  t.mock.method(AbortSignal, 'timeout', (ms: number) =>
    timeout(ms === proxyTimeoutMs && isPatient() ? patientMs : ms),
  )
}
