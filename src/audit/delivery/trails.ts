/**
 * The trails that delivery serves: the operator's trail, which every account has, and those that
 * accounts made.
 * @module
 */
import { defaultSelectors, type TrailRecord } from '../../model/trail.ts'
import type { Store } from '../../store/store.ts'

export interface Trails {
  /** The account's trails, as of the beginning of the cut. */
  of(accountId: string): Promise<readonly TrailRecord[]>
  /** Discards the cached trails. */
  refresh(): void
  /**
   * The topic that is notified of a trail's files; an empty text for the operator's webhook; undefined
   * for none.
   */
  topicOf(trail: TrailRecord): string | undefined
}

export interface OperatorTrailSettings {
  readonly homeRegion: string
  readonly bucket: string
  readonly prefix?: string | undefined
  readonly kmsKeyId?: string | undefined
  /**
   * Whether there is a webhook. It is notified of the operator's files, and of files of trails that
   * name a topic.
   */
  readonly notifies: boolean
}

export const operatorTrailName = 'trent'

/** The operator's trail in an account, which takes every record. */
export function operatorTrail(settings: OperatorTrailSettings, accountId: string): TrailRecord {
  const { homeRegion, bucket, prefix, kmsKeyId } = settings
  return {
    accountId,
    homeRegion,
    name: operatorTrailName,
    bucket,
    ...(prefix !== undefined && { prefix }),
    ...(kmsKeyId !== undefined && { kmsKeyId }),
    multiRegion: true,
    includeGlobalServiceEvents: true,
    logFileValidation: true,
    selectors: defaultSelectors,
    isLogging: true,
    startedAt: 0,
    createdAt: 0,
    rowVersion: 0,
  }
}

export function createTrails(
  settings: OperatorTrailSettings,
  store: Pick<Store, 'listTrails'>,
): Trails {
  let known = new Map<string, Promise<readonly TrailRecord[]>>()
  const read = async (accountId: string): Promise<readonly TrailRecord[]> => {
    const stored = await store.listTrails(accountId)
    return [operatorTrail(settings, accountId), ...stored]
  }
  return {
    of(accountId) {
      let trails = known.get(accountId)
      if (trails === undefined) {
        trails = read(accountId)
        known.set(accountId, trails)
      }
      return trails
    },
    refresh() {
      known = new Map()
    },
    topicOf(trail) {
      if (!settings.notifies) return undefined
      return trail.name === operatorTrailName && trail.createdAt === 0 ? '' : trail.topicArn
    },
  }
}
