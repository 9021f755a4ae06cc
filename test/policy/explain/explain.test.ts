/** Explanations: they agree with the engine, and the change that they propose turns its decision. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { authorize } from '../../../src/policy/authorize.ts'
import { explain } from '../../../src/policy/explain/explain.ts'
import type { Edit } from '../../../src/policy/explain/policy-edits.ts'
import { engineInput } from '../engine-inputs.ts'
import { request } from '../random-requests.ts'
import {
  referenceAllows,
  type PlainPolicy,
  type PlainRequest,
  type PlainStatement,
} from '../reference.ts'
import { printedSeed } from '../seed.ts'

/** As the pipeline has it of every principal. */
const withPrincipal = (plain: PlainRequest): PlainRequest => ({
  ...plain,
  context: {
    ...plain.context,
    'aws:principalarn': [
      plain.caller.kind === 'assumed-role' ? (plain.caller.roleArn ?? '') : plain.caller.arn,
    ],
  },
})

type Writable = { -readonly [K in keyof PlainRequest]: PlainRequest[K] }

/** Makes a change to plain policies by hand: no code of the engine's takes part. */
function changed(plain: PlainRequest, edits: readonly Edit[]): PlainRequest {
  const after: Writable = structuredClone(plain)
  for (const edit of edits) {
    if (edit.edit === 'revoke-grant') {
      after.grants = after.grants.filter((_, index) => `g${index}` !== edit.grantId)
    } else if (edit.edit === 'add-grant') {
      after.grants = [
        ...after.grants,
        { granteePrincipal: '', issuingAccountId: after.owner, ...edit.grant },
      ]
    } else changeStatements(after, edit)
  }
  return after
}

const listed = (value: unknown): string[] | undefined =>
  value === undefined ? undefined : ([value].flat() as string[])

/** As the plain evaluator wants it: lists everywhere. */
function plainStatement(statement: Readonly<Record<string, unknown>>): PlainStatement {
  const { Principal, Condition = {} } = statement as {
    Principal?: unknown
    Condition?: Record<string, Record<string, unknown>>
  }
  const lists = Object.fromEntries(
    ['Action', 'NotAction', 'Resource', 'NotResource'].flatMap((name) => {
      const list = listed(statement[name])
      return list === undefined ? [] : [[name, list]]
    }),
  )
  const who =
    Principal === undefined || Principal === '*'
      ? { Principal }
      : { Principal: { AWS: listed((Principal as { AWS: unknown }).AWS) } }
  const blocks = Object.entries(Condition).map(([operator, block]) => [
    operator,
    Object.fromEntries(Object.entries(block).map(([key, values]) => [key, listed(values)])),
  ])
  return {
    ...statement,
    ...lists,
    ...(Principal !== undefined && who),
    Condition: Object.fromEntries(blocks),
  } as unknown as PlainStatement
}

function changeStatements(after: Writable, edit: Extract<Edit, { in: unknown }>): void {
  const { policy, index, level = 0 } = edit.in
  const change = (before: PlainPolicy = { Version: '2012-10-17', Statement: [] }): PlainPolicy => {
    const Statement = [...before.Statement]
    if (edit.edit === 'add-statement') Statement.push(plainStatement(edit.statement))
    else if (edit.edit === 'replace-statement')
      Statement[edit.position] = plainStatement(edit.statement)
    else Statement.splice(edit.position, 1)
    return { ...before, Statement }
  }
  const at = (list: readonly PlainPolicy[] = []): readonly PlainPolicy[] =>
    index === undefined ? [...list, change()] : list.with(index, change(list[index]))
  if (policy === 'identity') after.identity = at(after.identity)
  if (policy === 'session') after.session = at(after.session)
  if (policy === 'boundary') after.boundary = change(after.boundary)
  if (policy === 'resource-control') after.resourceControl = at(after.resourceControl)
  if (policy === 'service-control') {
    after.serviceControl = after.serviceControl.with(level, at(after.serviceControl[level]))
  }
  if (policy !== 'resource') return
  after.keyPolicy = change(after.keyPolicy)
  if (edit.edit === 'add-statement' && edit.principalId !== undefined) {
    const { AWS } = edit.statement['Principal'] as { AWS: string }
    after.uniqueIds = { ...after.uniqueIds, [AWS]: edit.principalId }
  }
}

/** What nothing that may be changed could turn. */
function cannotTurn({ caller, owner, action, keyPolicy }: PlainRequest, allowed: boolean): boolean {
  if (keyPolicy === undefined)
    return caller.accountId !== owner || (caller.kind === 'root' && allowed)
  return !allowed && caller.accountId !== owner && action === 'kms:PutKeyPolicy'
}

test('explanations agree with the engine, and the change that they propose turns its decision', async () => {
  const runs = Number.parseInt(process.env['TRENT_TEST_RUNS'] ?? '1500', 10)
  const counts = { toAllow: 0, toDeny: 0, fixed: 0, edits: 0, alternatives: 0 }
  const property = fc.asyncProperty(request.map(withPrincipal), async (plain) => {
    const { request: asked, policies, grants } = engineInput(plain)
    const explained = await explain(asked, { policies, grants }, () => Promise.resolve())
    const { decision, statements, change, alternatives } = explained
    assert.deepEqual(decision, authorize(asked, policies, grants))
    const allowed = decision.decision === 'allow'
    assert.equal(allowed, referenceAllows(plain))
    const denies = decision.reasons.some(({ effect }) => effect === 'explicit-deny')
    assert.equal(
      statements.some(({ effect }) => effect === 'Deny'),
      denies,
    )
    if (change === undefined) {
      assert.ok(cannotTurn(plain, allowed), 'a change is proposed where one can be')
      counts.fixed += 1
      return
    }
    for (const way of [change, ...alternatives]) {
      const after = changed(plain, way)
      assert.equal(referenceAllows(after), !allowed, 'the second evaluator')
      const input = engineInput(after)
      const turned = authorize(input.request, input.policies, input.grants)
      assert.equal(turned.decision === 'allow', !allowed, 'the engine')
      assert.ok(way.length >= change.length)
      for (const edit of way) {
        const less = way.filter((each) => each !== edit)
        assert.equal(referenceAllows(changed(plain, less)), allowed, 'no edit is left out')
      }
    }
    counts[allowed ? 'toDeny' : 'toAllow'] += 1
    counts.edits += change.length
    counts.alternatives += alternatives.length
  })
  await fc.assert(property, { seed: printedSeed('explain'), numRuns: runs })
  console.log(`explain: ${JSON.stringify(counts)}`)
  assert.ok(counts.toAllow > runs / 4 && counts.toDeny > runs / 40 && counts.fixed > 0)
})
