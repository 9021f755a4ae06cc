/** The settings of the test API: whether it is on, and from where it may be used. @module */
import { isIP } from 'node:net'
import { isLoopback } from '../model/address.ts'
import { SettingWrong } from '../webhooks/webhook-settings.ts'

export interface TestApiSettings {
  readonly testApi: boolean
  /**
   * The test API may be used from other machines: the server runs in a container, for tests. These are the
   * names of the server that a Host header may have, besides its usual ones; lower case, without ports.
   */
  readonly testContainer?: { readonly hosts: readonly string[] }
}

export const testApiNames = ['TRENT_TEST_API', 'TRENT_TEST_API_HOSTS'] as const
type Settings = Readonly<Partial<Record<(typeof testApiNames)[number], string>>>

const hostsMax = 32
const hostName =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/

/** @param listenHost of the public port @throws {SettingWrong} */
export function readTestApiSettings(settings: Settings, listenHost: string): TestApiSettings {
  const { TRENT_TEST_API: given = 'off', TRENT_TEST_API_HOSTS: hosts } = settings
  if (given !== 'on' && given !== 'off' && given !== 'container') {
    throw new SettingWrong('TRENT_TEST_API must be on, off or container')
  }
  if (hosts !== undefined && given !== 'container') {
    throw new SettingWrong('TRENT_TEST_API_HOSTS needs TRENT_TEST_API=container')
  }
  if (given === 'on' && !isLoopback(listenHost)) {
    throw new SettingWrong(
      'TRENT_TEST_API=on is refused unless TRENT_LISTEN is a loopback address; in a container for tests, ' +
        'it is TRENT_TEST_API=container',
    )
  }
  if (given !== 'container') return { testApi: given === 'on' }
  return { testApi: true, testContainer: { hosts: hostsOf(hosts) } }
}

function hostsOf(text: string | undefined): readonly string[] {
  const hosts = text?.split(',').map((host) => host.trim().toLowerCase()) ?? []
  if (hosts.length <= hostsMax && hosts.every((host) => isHost(host))) return hosts
  throw new SettingWrong(
    `TRENT_TEST_API_HOSTS must be up to ${hostsMax} host names or addresses without ports, separated by ` +
      'commas: trent,kms.test,[fd00::7]',
  )
}

function isHost(host: string): boolean {
  const [, address] = /^\[(.+)\]$/.exec(host) ?? []
  return address === undefined ? hostName.test(host) : isIP(address) === 6
}
