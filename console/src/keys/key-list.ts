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
  ListAliasesCommand,
  ListKeysCommand,
} from '@aws-sdk/client-kms'
import {
  GetResourcesCommand,
  ResourceGroupsTaggingAPIClient,
} from '@aws-sdk/client-resource-groups-tagging-api'
import type { Aws } from '../aws/aws.ts'

export interface KeyRow {
  readonly id: string
  readonly arn: string
  /** `alias/…`, in the order of ListAliases. */
  readonly aliases: readonly string[]
  readonly metadata?: KeyMetadata
  /** The key exists, but the caller may not describe it. */
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
    } catch {
      this.#change(id, { hidden: true })
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
    for await (const page of keyPages(this.#aws, this.#region)) {
      for (const { id, arn } of page) this.#rows.set(id, { id, arn, aliases: [], tags: [] })
      if (this.#stopped) return
    }
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
      for await (const [id, tags] of tagsOfKeys(this.#aws, this.#region)) this.#change(id, { tags })
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

async function* keyPages(
  aws: Aws,
  region: string,
): AsyncGenerator<readonly { readonly id: string; readonly arn: string }[]> {
  let Marker: string | undefined
  do {
    const asked = { Limit: 1000, ...(Marker !== undefined && { Marker }) }
    const page = await aws.run(KMSClient, region, (kms) => kms.send(new ListKeysCommand(asked)))
    yield (page.Keys ?? []).map(({ KeyId: id = '', KeyArn: arn = '' }) => ({ id, arn }))
    Marker = page.NextMarker
  } while (Marker !== undefined)
}

export async function aliasesOf(
  aws: Aws,
  region: string,
  keyId?: string,
): Promise<readonly AliasListEntry[]> {
  const found: AliasListEntry[] = []
  let Marker: string | undefined
  do {
    const asked = {
      Limit: 100,
      ...(keyId !== undefined && { KeyId: keyId }),
      ...(Marker !== undefined && { Marker }),
    }
    const page = await aws.run(KMSClient, region, (kms) => kms.send(new ListAliasesCommand(asked)))
    found.push(...(page.Aliases ?? []))
    Marker = page.NextMarker
  } while (Marker !== undefined)
  return found
}

async function* tagsOfKeys(
  aws: Aws,
  region: string,
): AsyncGenerator<readonly [id: string, tags: KeyRow['tags']]> {
  let token = ''
  do {
    const asked = {
      ResourceTypeFilters: ['kms:key'],
      ResourcesPerPage: 100,
      ...(token !== '' && { PaginationToken: token }),
    }
    const page = await aws.run(ResourceGroupsTaggingAPIClient, region, (tagging) =>
      tagging.send(new GetResourcesCommand(asked)),
    )
    for (const { ResourceARN = '', Tags = [] } of page.ResourceTagMappingList ?? []) {
      const id = ResourceARN.split('/').at(-1) ?? ''
      yield [id, Tags.map(({ Key = '', Value = '' }) => [Key, Value] as const)]
    }
    token = page.PaginationToken ?? ''
  } while (token !== '')
}
