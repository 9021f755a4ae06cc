/**
 * Nodes that are imagined, to test the checker: one memory that all of them answer from, each with a delay, and with
 * the mistakes that the checker must find.
 * @module
 */
import { Buffer } from 'node:buffer'
import { createHmac, generateKeyPairSync, randomUUID, sign, verify } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../durability/cut-memory.ts'
import type { Answer, Deployment, Login, Output, Who } from './calls.ts'
import { homeRegion } from './calls.ts'
import { ImaginedCells } from './imagined-cells.ts'
import { imaginedIdentities } from './imagined-identities.ts'
import { type Cells, Refused, type Request, text } from './imagined-request.ts'
import { absent } from './registers.ts'

export interface Mistakes {
  /** Operations of which every second is answered and not done. */
  readonly forgets?: readonly string[]
  /** Operations of which every second is done and answered as if it was not run. */
  readonly denies?: readonly string[]
  /** Operations of which every second is done twice. */
  readonly repeats?: readonly string[]
  /** How old the state is by which the last node decides uses, in milliseconds. */
  readonly staleMs?: number
  /** Decrypt answers other bytes now and then. */
  readonly garbles?: boolean
  /** After changes were lost, the nodes answer by what is left. */
  readonly goesOn?: boolean
  /** What is not taken away again after a loss: cells by the beginning of their names. */
  readonly leaves?: readonly string[]
  /** So many changes before those that are lost are lost too. */
  readonly losesMore?: number
}

export class ImaginedDeployment implements Deployment, Cells {
  readonly nodes = 3
  readonly accountId = '111122223333'
  readonly #mistakes: Mistakes
  readonly #cells = new ImaginedCells()
  readonly #log = {
    changes: new Map<string, number>(),
    made: new Map<string, number>(),
    rotated: new Map<string, number>(),
  }
  #isRewound = false
  readonly #keys: string[] = []
  readonly #grants = new Map<string, { keyId: string; name: string }[]>()
  readonly #rotations = new Map<string, number>()
  readonly #sealed = new Map<string, { keyId: string; plaintext: Uint8Array }>()
  readonly #pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  /** The number of calls of each operation. */
  readonly #calls = new Map<string, number>()

  constructor(mistakes: Mistakes = {}) {
    this.#mistakes = mistakes
  }

  isUp(): boolean {
    return true
  }

  async call(
    node: number,
    who: Who | Login,
    operation: string,
    input: object,
    region = homeRegion,
  ): Promise<Answer> {
    const { forgets = [], denies = [], repeats = [], staleMs = 0 } = this.#mistakes
    await sleep(Math.random() * 2)
    const calls = (this.#calls.get(operation) ?? 0) + 1
    this.#calls.set(operation, calls)
    const isWrong = calls % 2 === 0
    const asOf = performance.now() - (node === this.nodes - 1 ? staleMs : 0)
    const request = { who, input: { ...input }, asOf, region }
    const requestId = randomUUID()
    if (this.#isRewound && this.#mistakes.goesOn !== true) {
      return { kind: 'unavailable', error: 'changes are lost' }
    }
    try {
      if (isWrong && forgets.includes(operation)) return { kind: 'ok', output: {}, requestId }
      const { change } = this
      const output = this.#run(operation, request)
      if (this.change > change) this.#log.changes.set(requestId, this.change)
      if (isWrong && repeats.includes(operation)) this.#run(operation, request)
      await sleep(Math.random() * 2)
      if (isWrong && denies.includes(operation)) return { kind: 'unavailable', error: 'not run' }
      return { kind: 'ok', output, requestId }
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      return { kind: 'refused', error: error.message, requestId }
    }
  }

  #run(operation: string, request: Request): Output {
    const run = this.#operations[operation]
    if (run === undefined) throw new Error(`no imagined ${operation}`)
    return run(request) ?? {}
  }

  read(cell: string, asOf?: number): string {
    return this.#cells.read(cell, asOf)
  }

  write(cell: string, value: string): void {
    this.#cells.write(cell, value)
  }

  /** The number of the last change. */
  get change(): number {
    return this.#cells.change
  }

  /**
   * Loses every change after this one. Then the nodes answer nothing until the loss is accepted.
   * @returns what the journals have of all changes
   */
  rewind(change: number): Log {
    const log = {
      changes: new Map(this.#log.changes),
      made: new Map(this.#log.made),
      rotated: new Map(this.#log.rotated),
    }
    this.#cells.rewind(change - (this.#mistakes.losesMore ?? 0))
    this.#isRewound = true
    return log
  }

  acceptLoss(): void {
    this.#cells.takeAwayAgain(this.#mistakes.leaves ?? [])
    for (const [keyId, grants] of this.#grants) {
      const there = grants.filter(({ name }) => this.read(`grant ${name}`) !== absent)
      this.#grants.set(keyId, there)
    }
    const keys = this.#keys.filter((keyId) => this.read(`state ${keyId}`) !== absent)
    this.#keys.splice(0, this.#keys.length, ...keys)
    this.#isRewound = false
  }

  #move(from: readonly string[], to: string): (request: Request) => void {
    return ({ input }) => {
      const cell = `state ${text(input, 'KeyId')}`
      if (!from.includes(this.read(cell))) throw new Refused('KMSInvalidStateException')
      this.write(cell, to)
    }
  }

  /** Decides a use of a key by the state that the node knows. */
  #use({ who, input, asOf }: Request, keyId = text(input, 'KeyId')): void {
    const context = Object(input['EncryptionContext']) as Record<string, string>
    const grant = context['grant'] ?? ''
    const isAllowed =
      who === 'root' ||
      (who === 'user' && this.read(`access ${keyId}`, asOf) === 'open') ||
      (who === 'grantee' && this.read(`grant ${grant}`, asOf) !== absent)
    if (!isAllowed) throw new Refused('AccessDeniedException')
    const state = this.read(`state ${keyId}`, asOf)
    if (state === 'Disabled') throw new Refused('DisabledException')
    if (state === 'PendingDeletion') throw new Refused('KMSInvalidStateException')
  }

  #seal(keyId: string, plaintext: Uint8Array): Output {
    const id = randomUUID()
    this.#sealed.set(id, { keyId, plaintext })
    return { CiphertextBlob: Buffer.from(id), Plaintext: plaintext }
  }

  #open(request: Request): { keyId: string; plaintext: Uint8Array } {
    const blob = request.input['CiphertextBlob'] as Uint8Array
    const found = this.#sealed.get(Buffer.from(blob).toString())
    if (found === undefined) throw new Refused('InvalidCiphertextException')
    this.#use(request, found.keyId)
    const isGarbled = this.#mistakes.garbles === true && (this.#calls.get('Decrypt') ?? 0) % 5 === 0
    return isGarbled ? { ...found, plaintext: Buffer.from('garbled') } : found
  }

  #alias(mustBe: boolean, value?: string): (request: Request) => void {
    return ({ input }) => {
      const cell = `alias ${text(input, 'AliasName')}`
      const isThere = this.read(cell) !== absent
      if (isThere && !mustBe) throw new Refused('AlreadyExistsException')
      if (!isThere && mustBe) throw new Refused('NotFoundException')
      this.write(cell, value ?? text(input, 'TargetKeyId'))
    }
  }

  #endGrant({ input }: Request): void {
    const keyId = text(input, 'KeyId')
    const grants = this.#grants.get(keyId) ?? []
    const found = grants.find(({ name }) => name === text(input, 'GrantId'))
    if (found === undefined) throw new Refused('NotFoundException')
    this.#grants.set(
      keyId,
      grants.filter((each) => each !== found),
    )
    this.write(`grant ${found.name}`, absent)
  }

  readonly #operations: Readonly<Record<string, (request: Request) => Output | undefined | void>> =
    {
      ...imaginedIdentities(this),
      CreateKey: ({ input }) => {
        const keyId = randomUUID()
        this.#keys.push(keyId)
        this.write(`state ${keyId}`, 'Enabled')
        this.write(`description ${keyId}`, text(input, 'Description'))
        this.#putPolicy(keyId, text(input, 'Policy'))
        this.#log.made.set(keyId, this.change)
        return { KeyMetadata: { KeyId: keyId } }
      },
      ListKeys: () => ({ Keys: this.#keys.map((KeyId) => ({ KeyId })) }),
      DescribeKey: ({ who, input, asOf }) => {
        const named = text(input, 'KeyId')
        const keyId = named.startsWith('alias/') ? this.read(`alias ${named}`, asOf) : named
        if (keyId === absent) throw new Refused('NotFoundException')
        if (who === 'grantee' && this.read(`iam ${keyId}`, asOf) === absent) {
          throw new Refused('AccessDeniedException')
        }
        const KeyState = this.read(`state ${keyId}`, asOf)
        const Description = this.read(`description ${keyId}`, asOf)
        return { KeyMetadata: { KeyId: keyId, KeyState, Description } }
      },
      EnableKey: this.#move(['Enabled', 'Disabled'], 'Enabled'),
      DisableKey: this.#move(['Enabled', 'Disabled'], 'Disabled'),
      ScheduleKeyDeletion: this.#move(['Enabled', 'Disabled'], 'PendingDeletion'),
      CancelKeyDeletion: this.#move(['PendingDeletion'], 'Disabled'),
      UpdateKeyDescription: ({ input }) =>
        this.write(`description ${text(input, 'KeyId')}`, text(input, 'Description')),
      TagResource: ({ input }) => {
        const [tag] = input['Tags'] as readonly { TagValue: string }[]
        this.write(`tag ${text(input, 'KeyId')}`, tag?.TagValue ?? '')
      },
      UntagResource: ({ input }) => this.write(`tag ${text(input, 'KeyId')}`, absent),
      ListResourceTags: ({ input, asOf }) => {
        const value = this.read(`tag ${text(input, 'KeyId')}`, asOf)
        return { Tags: value === absent ? [] : [{ TagKey: 'color', TagValue: value }] }
      },
      EnableKeyRotation: ({ input }) => this.write(`rotation ${text(input, 'KeyId')}`, 'on'),
      DisableKeyRotation: ({ input }) => this.write(`rotation ${text(input, 'KeyId')}`, 'off'),
      GetKeyRotationStatus: ({ input, asOf }) => ({
        KeyRotationEnabled: this.read(`rotation ${text(input, 'KeyId')}`, asOf) === 'on',
      }),
      RotateKeyOnDemand: (request) => {
        this.#use(request)
        const keyId = text(request.input, 'KeyId')
        this.#rotations.set(keyId, (this.#rotations.get(keyId) ?? 0) + 1)
        this.write(`rotated ${keyId}`, 'again')
        this.#log.rotated.set(keyId, this.change)
      },
      ListKeyRotations: ({ input }) => ({
        Rotations: Array.from({ length: this.#rotations.get(text(input, 'KeyId')) ?? 0 }),
      }),
      Encrypt: (request) => {
        this.#use(request)
        return this.#seal(text(request.input, 'KeyId'), request.input['Plaintext'] as Uint8Array)
      },
      GenerateDataKey: (request) => {
        this.#use(request)
        return this.#seal(text(request.input, 'KeyId'), Buffer.from(randomUUID()))
      },
      Decrypt: (request) => ({ Plaintext: this.#open(request).plaintext }),
      ReEncrypt: (request) => {
        const { plaintext } = this.#open(request)
        return this.#seal(text(request.input, 'DestinationKeyId'), plaintext)
      },
      PutKeyPolicy: ({ input }) => this.#putPolicy(text(input, 'KeyId'), text(input, 'Policy')),
      GetKeyPolicy: ({ input, asOf }) => ({
        Policy: JSON.stringify({ Id: this.read(`policy ${text(input, 'KeyId')}`, asOf) }),
      }),
      CreateGrant: (request) => {
        this.#use({ ...request, who: 'root', asOf: Infinity })
        const keyId = text(request.input, 'KeyId')
        const name = text(request.input, 'Name')
        this.#grants.set(keyId, [...(this.#grants.get(keyId) ?? []), { keyId, name }])
        this.write(`grant ${name}`, name)
        return { GrantId: name }
      },
      RevokeGrant: (request) => this.#endGrant(request),
      RetireGrant: (request) => this.#endGrant(request),
      ListGrants: ({ input }) => ({
        Grants: (this.#grants.get(text(input, 'KeyId')) ?? []).map(({ name }) => ({ Name: name })),
      }),
      CreateAlias: this.#alias(false),
      UpdateAlias: this.#alias(true),
      DeleteAlias: this.#alias(true, absent),
      'iam:PutUserPolicy': ({ input }) => this.write(`iam ${text(input, 'PolicyName')}`, 'there'),
      'iam:DeleteUserPolicy': ({ input }) => {
        const cell = `iam ${text(input, 'PolicyName')}`
        if (this.read(cell) === absent) throw new Refused('NoSuchEntityException')
        this.write(cell, absent)
      },
      GetPublicKey: () => ({
        PublicKey: this.#pair.publicKey.export({ format: 'der', type: 'spki' }),
      }),
      Sign: ({ input }) => ({
        Signature: sign('sha256', input['Message'] as Uint8Array, this.#pair.privateKey),
      }),
      Verify: ({ input }) => {
        const signature = input['Signature'] as Uint8Array
        const message = input['Message'] as Uint8Array
        if (!verify('sha256', message, this.#pair.publicKey, signature)) {
          throw new Refused('KMSInvalidSignatureException')
        }
      },
      GenerateMac: ({ input }) => ({ Mac: macOf(input['Message'] as Uint8Array) }),
      VerifyMac: () => undefined,
    }

  #putPolicy(keyId: string, policy: string): void {
    if (policy === '') return
    const { Id, Statement = [] } = JSON.parse(policy) as {
      Id: string
      Statement?: readonly unknown[]
    }
    this.write(`policy ${keyId}`, Id)
    this.write(`access ${keyId}`, Statement.length > 1 ? 'open' : 'closed')
  }
}

const macOf = (message: Uint8Array): Buffer => createHmac('sha256', 'key').update(message).digest()
