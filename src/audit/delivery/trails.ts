/**
 * The trails that delivery serves: the operator's, one in every account, and those that accounts made.
 * @module
 */
import { defaultSelectors, type TrailRecord } from '../../model/trail.ts'
import type { Store } from '../../store/store.ts'

export interface Trails {
  /** Those of an account, as they were when the cut began. */
  of(accountId: string): Promise<readonly TrailRecord[]>
  /** Reads them anew. */
  refresh(): void
  /** Who hears of a trail's files; an empty text for the operator. */
  topicOf(trail: TrailRecord): string | undefined
}

export interface OperatorTrailSettings {
  readonly homeRegion: string
  readonly bucket: string
  readonly prefix?: string | undefined
  readonly kmsKeyId?: string | undefined
  /** Whether there is a webhook: it hears of the operator's files, and of those that name a topic. */
  readonly notifies: boolean
}

export const operatorTrailName = 'trent'

/** The trail that the settings give to an account: it takes all that there is. */
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
