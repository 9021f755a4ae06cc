/** The setting of the HSM clusters in which accounts may have key stores. @module */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import type { IvMaker, TokenPlace } from '../../pkcs11/token-calls.ts'
import { readSettingMembers, wrongEntry, type MembersOf } from '../../webhooks/setting-members.ts'
import { SettingWrong } from '../../webhooks/webhook-settings.ts'

export const hsmClusterNames = ['TRENT_HSM_CLUSTERS'] as const

/** An HSM cluster: for Trent one token of a PKCS #11 library. */
export interface HsmCluster {
  readonly clusterId: string
  readonly place: TokenPlace
  /** SHA-256 of the certificate that the cluster was initialized with, hexadecimal. */
  readonly trustAnchor: string
  readonly iv: IvMaker
  /** Whether Trent changes the password of `kmsuser` when it connects. */
  readonly rotatesPin: boolean
  /** Number of active HSMs. */
  readonly hsms: number
  /** What stands before the password in a PIN, with a colon: AWS CloudHSM wants its user there. */
  readonly user?: string
  /** The only account that may use it; any account if absent. */
  readonly accountId?: string
}

export type HsmClusters = ReadonlyMap<string, HsmCluster>

const name = 'TRENT_HSM_CLUSTERS'
/** A cluster has at most this many HSMs at AWS. */
const hsmsMax = 28
const hsmsDefault = 2
const clustersMax = 64
const members = [
  'library',
  'token',
  'slot',
  'trust-anchor',
  'iv',
  'rotate-pin',
  'hsms',
  'user',
  'account',
] as const
type Members = MembersOf<(typeof members)[number]>

/**
 * Reads clusters that are separated by commas, each `ID:member=value;member=value`. Values are
 * percent-encoded where they contain `%`, `,` or `;`.
 * @throws {SettingWrong}
 */
export function readHsmClusters(text: string | undefined): HsmClusters {
  const clusters = new Map<string, HsmCluster>()
  for (const entry of text?.split(',') ?? []) {
    const [, clusterId, rest = ''] = /^(cluster-[2-7a-zA-Z]{11,16}):(.+)$/.exec(entry.trim()) ?? []
    if (clusterId === undefined) {
      throw new SettingWrong(
        `${name} must be clusters, separated by commas: cluster-234567abcde:library=/usr/lib/hsm.so;` +
          'token=kms;trust-anchor=/etc/trent/customerCA.crt',
      )
    }
    if (clusters.has(clusterId)) throw new SettingWrong(`${name} names ${clusterId} twice`)
    const given = readSettingMembers({ setting: name, entry: clusterId }, members, rest)
    clusters.set(clusterId, clusterOf(clusterId, given))
  }
  if (clusters.size > clustersMax)
    throw new SettingWrong(`${name}: at most ${clustersMax} clusters`)
  return clusters
}

function clusterOf(clusterId: string, given: Members): HsmCluster {
  const { library = '', token, slot, iv = 'we', hsms, user, account } = given
  const rotates = given['rotate-pin'] ?? 'no'
  if (!isAbsolute(library)) {
    throw wrong(clusterId, 'library= is the absolute path of a PKCS #11 library')
  }
  if ((token === undefined) === (slot === undefined)) {
    throw wrong(clusterId, 'names its token by token= (its label) or by slot= (a number)')
  }
  if (slot !== undefined && !/^\d{1,10}$/.test(slot)) throw wrong(clusterId, 'slot= is a number')
  if (iv !== 'we' && iv !== 'token') throw wrong(clusterId, 'iv= is we or token')
  if (rotates !== 'yes' && rotates !== 'no') throw wrong(clusterId, 'rotate-pin= is yes or no')
  if (user !== undefined && !/^\w{1,31}$/.test(user)) {
    throw wrong(clusterId, 'user= is 1 to 31 letters, digits or underscores')
  }
  if (account !== undefined && !/^\d{12}$/.test(account)) {
    throw wrong(clusterId, 'account= is twelve digits')
  }
  const count = hsms === undefined ? hsmsDefault : /^\d{1,2}$/.test(hsms) ? Number(hsms) : NaN
  if (!(count <= hsmsMax)) throw wrong(clusterId, `hsms= is a number from 0 to ${hsmsMax}`)
  return {
    clusterId,
    place: {
      library,
      ...(token !== undefined && { label: token }),
      ...(slot !== undefined && { slot: Number(slot) }),
    },
    trustAnchor: trustAnchorIn(clusterId, given['trust-anchor'] ?? ''),
    iv,
    rotatesPin: rotates === 'yes',
    hsms: count,
    ...(user !== undefined && { user }),
    ...(account !== undefined && { accountId: account }),
  }
}

function trustAnchorIn(clusterId: string, path: string): string {
  if (!isAbsolute(path))
    throw wrong(clusterId, 'trust-anchor= is the absolute path of a certificate')
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new SettingWrong(`${name}: ${path} cannot be read`, { cause })
  }
  const fingerprint = fingerprintOf(text)
  if (fingerprint === undefined) throw new SettingWrong(`${name}: ${path} is no certificate in PEM`)
  return fingerprint
}

/** SHA-256 of a certificate, hexadecimal; undefined if the text is no certificate in PEM. */
export function fingerprintOf(pem: string): string | undefined {
  if (!pem.trimStart().startsWith('-----BEGIN CERTIFICATE-----')) return undefined
  try {
    return new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase()
  } catch {
    return undefined
  }
}

function wrong(clusterId: string, what: string): SettingWrong {
  return wrongEntry({ setting: name, entry: clusterId }, what)
}
