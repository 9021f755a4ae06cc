/**
 * Loaded into a server that is a process of its own: proxies may answer late, because tests of other things
 * must not fail on a slow machine.
 * @module
 */
import { proxyTimeoutMs } from '../../../src/keystores/external/proxy-client.ts'

const timeout = AbortSignal.timeout.bind(AbortSignal)
AbortSignal.timeout = (ms) => timeout(ms === proxyTimeoutMs ? 60_000 : ms)
