/** Questions to Trent's own paths about the server and the account's quotas. @module */
import type { Aws } from '../aws/aws.ts'
import { failureOf } from '../aws/failure.ts'
import { askTrent } from '../aws/trent.ts'

export interface ShownNode {
  readonly nodeId: string
  readonly name: string
  readonly state: string
  readonly self: boolean
  readonly lastConfirmed: string
  readonly silentSeconds: number
  /** Milliseconds. */
  readonly clockOffset: number
}

export interface Deployment {
  readonly version: string
  readonly startedAt: string
  readonly clock: { readonly now: string; readonly held?: string }
  readonly seal: {
    readonly kind: string
    readonly generation: number
    readonly opensAlone: boolean
    readonly recovery: boolean
  }
  readonly nodes: readonly ShownNode[]
}

/** @returns undefined for a principal who may not see it */
export async function readDeployment(aws: Aws, region: string): Promise<Deployment | undefined> {
  try {
    return (await askTrent(aws, region, '/_trent/deployment', {})) as Deployment // its type
  } catch (error) {
    if (failureOf(error).isRefusal) return undefined
    throw error
  }
}

/** A node that has not confirmed for a minute counts as gone. */
const silentSecondsMax = 60

export function isServing({ state, silentSeconds }: ShownNode): boolean {
  return state === 'serving' && silentSeconds < silentSecondsMax
}

export interface Quotas {
  readonly profile: string
  readonly resources: readonly {
    readonly name: string
    readonly limit?: number
    readonly used?: number
  }[]
  readonly requests: readonly {
    readonly group: string
    readonly perSecond?: number
    readonly available?: number
  }[]
}

export async function readQuotas(aws: Aws, region: string): Promise<Quotas> {
  return (await askTrent(aws, region, '/_trent/quotas', {})) as Quotas // its type
}
