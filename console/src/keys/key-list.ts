/**
 * The keys of an account and Region, loaded in the order in which they are useful: ids and aliases first,
 * descriptions of visible rows next, and the rest in the background, below the request quota.
 * @module
 */
import {
  type AliasListEntry,
  DescribeKeyCommand,
  type KeyMetadata,
  KMSClient,
  paginateListAliases,
  paginateListKeys,
} from '@aws-sdk/client-kms'
import {
  paginateGetResources,
  ResourceGroupsTaggingAPIClient,
} from '@aws-sdk/client-resource-groups-tagging-api'
import type { Aws } from '../aws/aws.ts'
import { failureOf } from '../aws/failure.ts'

export interface KeyRow {
  readonly id: string
  readonly arn: string
  /** `alias/…`, in the order of ListAliases. */
  readonly aliases: readonly string[]
  readonly metadata?: KeyMetadata
  /** The key could not be described: the caller may not, or the call failed. */
  readonly hidden?: true
  readonly tags: readonly (readonly [key: string, value: string])[]
}

export interface KeyListState {
  readonly rows: readonly KeyRow[]
  /** Ids and aliases are complete. */
  readonly listed: boolean
  readonly error?: unknown
  /** Why there are no tags. The table works without them. */
  readonly tagsError?: unknown
}

export interface KeyList {
  readonly state: () => KeyListState
  readonly subscribe: (listener: () => void) => () => void
  /** These rows are described before all others. */
  readonly show: (ids: readonly string[]) => void
  /** Asks again for a key that has changed. */
  readonly refresh: (id: string) => void
  readonly stop: () => void
}

/** Milliseconds between two updates of the table while descriptions arrive. */
const updateMs = 400
/** DescribeKey calls at a time, and milliseconds between two: far below AWS's quota of 2000 a second. */
const describers = 4
const describeMs = 15

export function listKeys(aws: Aws, region: string): KeyList {
  const loading = new LoadingKeys(aws, region)
  void loading.load()
  return {
    state: () => loading.state,
    subscribe(listener) {
      loading.listeners.add(listener)
      return () => loading.listeners.delete(listener)
    },
    show(ids) {
      loading.wanted = ids
    },
    refresh: (id) => void loading.describe(id).then(() => loading.publish()),
    stop: () => loading.stop(),
  }
}

/** One list while it loads, and its background work. */
class LoadingKeys {
  readonly listeners = new Set<() => void>()
  state: KeyListState = { rows: [], listed: false }
  /** Rows in sight: they are described first. */
  wanted: readonly string[] = []
  readonly #aws: Aws
  readonly #region: string
  readonly #rows = new Map<string, KeyRow>()
  readonly #pending = new Set<string>()
  #stopped = false
  #listed = false
  #failures: Pick<KeyListState, 'error' | 'tagsError'> = {}
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(aws: Aws, region: string) {
    this.#aws = aws
    this.#region = region
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  async load(): Promise<void> {
    try {
      await this.#readNames()
    } catch (error) {
      this.#failures = { ...this.#failures, error }
    }
    this.#listed = true
    this.publish()
    await Promise.all([this.#describeAll(), this.#readTags()])
    this.publish()
  }

  publish(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#stopped) return
    this.state = { rows: [...this.#rows.values()], listed: this.#listed, ...this.#failures }
    for (const listener of this.listeners) listener()
  }

  async describe(id: string): Promise<void> {
    this.#pending.add(id)
    try {
      const { KeyMetadata } = await this.#aws.run(KMSClient, this.#region, (kms) =>
        kms.send(new DescribeKeyCommand({ KeyId: id })),
      )
      this.#change(id, KeyMetadata === undefined ? { hidden: true } : { metadata: KeyMetadata })
    } catch (error) {
      this.#change(id, { hidden: true })
      if (!failureOf(error).isRefusal) this.#failures = { ...this.#failures, error }
    } finally {
      this.#pending.delete(id)
    }
  }

  #change(id: string, more: Partial<KeyRow>): void {
    const row = this.#rows.get(id)
    if (row === undefined) return
    this.#rows.set(id, { ...row, ...more })
    this.#timer ??= setTimeout(() => this.publish(), updateMs)
  }

  async #readNames(): Promise<void> {
    const aliases = aliasesOf(this.#aws, this.#region)
    aliases.catch(() => undefined) // awaited below
    await this.#aws.run(KMSClient, this.#region, async (client) => {
      for await (const { Keys = [] } of paginateListKeys({ client, pageSize: 1000 }, {})) {
        for (const { KeyId: id = '', KeyArn: arn = '' } of Keys) {
          this.#rows.set(id, { id, arn, aliases: [], tags: [] })
        }
        if (this.#stopped) return
      }
    })
    for (const { AliasName, TargetKeyId } of await aliases) {
      const row = this.#rows.get(TargetKeyId ?? '')
      if (row !== undefined && AliasName !== undefined) {
        this.#rows.set(row.id, { ...row, aliases: [...row.aliases, AliasName] })
      }
    }
  }

  async #describeAll(): Promise<void> {
    const background = [...this.#rows.keys()].values()
    const work = async (): Promise<void> => {
      for (let id = this.#next(background); id !== undefined; id = this.#next(background)) {
        await this.describe(id)
        await new Promise((resolve) => setTimeout(resolve, describeMs))
      }
    }
    await Promise.all(Array.from({ length: describers }, work))
  }

  #next(background: Iterator<string>): string | undefined {
    if (this.#stopped) return undefined
    const isOpen = (id: string): boolean => {
      const row = this.#rows.get(id)
      return row !== undefined && !row.metadata && !row.hidden && !this.#pending.has(id)
    }
    const first = this.wanted.find(isOpen)
    if (first !== undefined) return first
    for (let step = background.next(); step.done !== true; step = background.next()) {
      if (isOpen(step.value)) return step.value
    }
    return undefined
  }

  async #readTags(): Promise<void> {
    try {
      await this.#aws.run(ResourceGroupsTaggingAPIClient, this.#region, async (client) => {
        const asked = { ResourceTypeFilters: ['kms:key'] }
        for await (const page of paginateGetResources({ client, pageSize: 100 }, asked)) {
          for (const { ResourceARN = '', Tags = [] } of page.ResourceTagMappingList ?? []) {
            const tags = Tags.map(({ Key = '', Value = '' }) => [Key, Value] as const)
            this.#change(ResourceARN.split('/').at(-1) ?? '', { tags })
          }
          if (this.#stopped) return
        }
      })
    } catch (tagsError) {
      this.#failures = { ...this.#failures, tagsError }
    }
  }
}

/** Each AWS managed key has an alias of this form, which nobody else can create. */
export function isAwsManaged({ aliases, metadata }: KeyRow): boolean {
  if (metadata !== undefined) return metadata.KeyManager === 'AWS'
  return aliases.some((name) => name.startsWith('alias/aws/'))
}

export async function aliasesOf(
  aws: Aws,
  region: string,
  keyId?: string,
): Promise<readonly AliasListEntry[]> {
  const asked = keyId === undefined ? {} : { KeyId: keyId }
  return aws.run(KMSClient, region, async (client) => {
    const found: AliasListEntry[] = []
    for await (const { Aliases = [] } of paginateListAliases({ client, pageSize: 100 }, asked)) {
      found.push(...Aliases)
    }
    return found
  })
}
