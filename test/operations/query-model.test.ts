/**
 * Compares the input members of IAM and STS with the models in botocore: names, required members, lengths and
 * enums. Patterns are not compared, because IAM has its own messages for wrong characters.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { Member, Members } from '../../src/model/shape.ts'
import { iamRegistry } from '../../src/operations/iam/registry.ts'
import { stsRegistry } from '../../src/operations/sts/registry.ts'
import { pythonClients } from '../compat/python-clients.ts'

const queryRegistry = new Map([...iamRegistry, ...stsRegistry])

interface ModelShape {
  readonly type: string
  readonly min?: number
  readonly max?: number
  readonly enum?: readonly string[]
  readonly member?: { readonly shape: string }
  readonly members?: Readonly<Record<string, { readonly shape: string }>>
  readonly required?: readonly string[]
}

interface Model {
  readonly operations: Readonly<Record<string, { readonly input?: { readonly shape: string } }>>
  readonly shapes: Readonly<Record<string, ModelShape>>
}

type Described = { readonly [name: string]: unknown }

/** Differences from the model, by member name, each with its reason. */
const differences: Readonly<Record<string, Described>> = {
  // Trent's markers are encrypted, and longer than IAM's.
  Marker: { max: 1024 },
  // The model has no limits here; Trent limits everything that a caller controls.
  ActionNames: { max: 128 },
  ResourceArns: { max: 1000 },
  PolicyInputList: { max: 100 },
  PermissionsBoundaryPolicyInputList: { max: 100 },
  PolicyArns: { max: 10 },
  ClientIDList: { max: 1000 },
  ThumbprintList: { max: 1000 },
  VersionId: { min: 1, max: 32 },
  // The limit is in AWS's documentation, not in the model.
  Policy: { max: 2048 },
  // A key can be `Expired`, but no call can make it so.
  Status: { values: ['Active', 'Inactive'] },
}

/** Lists of structures with further limits of Trent: only their type is compared. */
const boundedWithin = [
  'ContextEntries',
  'OrderedOrganizationPolicyInputList',
  'PolicyExclusionList',
]

const skip = await (async (): Promise<string | false> => (await pythonClients()).skip)()

async function modelOf(service: string): Promise<Model> {
  const { bin } = await pythonClients()
  const lib = join(bin, '..', 'lib')
  const [python = ''] = readdirSync(lib).filter((name) => name.startsWith('python'))
  const data = join(lib, python, 'site-packages', 'botocore', 'data', service)
  const [version = ''] = readdirSync(data).toSorted().toReversed()
  const file = join(data, version, 'service-2.json')
  const text = existsSync(file) ? readFileSync(file) : gunzipSync(readFileSync(`${file}.gz`))
  return JSON.parse(text.toString('utf8')) as Model
}

function describeModel(model: Model, shapeName: string, depth = 0): Described {
  const {
    type,
    min,
    max,
    member,
    members,
    required,
    enum: values,
  } = model.shapes[shapeName] ?? {
    type: 'missing',
  }
  return trimmed({
    type: type === 'string' ? 'string' : type,
    min,
    max,
    values: values && [...values].toSorted(),
    member: member && depth < 4 ? describeModel(model, member.shape, depth + 1) : undefined,
    members:
      members &&
      Object.fromEntries(
        Object.entries(members).map(([name, { shape }]) => [
          name,
          {
            ...describeModel(model, shape, depth + 1),
            required: required?.includes(name) === true,
          },
        ]),
      ),
  })
}

function describeMember({ limits }: Member<unknown>): Described {
  const { type, min, max, values, member, members } = limits
  return trimmed({
    type,
    min,
    max,
    values: values && [...values].toSorted(),
    member: member && describeMember(member),
    members: members && describeMembers(members),
  })
}

function describeMembers(members: Members): Described {
  return Object.fromEntries(
    Object.entries(members).map(([name, member]) => [
      name,
      { ...describeMember(member), required: member.required },
    ]),
  )
}

/** Without undefined entries and minimums of 0. */
function trimmed(described: Described): Described {
  return Object.fromEntries(
    Object.entries(described).filter(
      ([name, value]) => value !== undefined && !(name === 'min' && value === 0),
    ),
  )
}

for (const service of ['iam', 'sts']) {
  test(
    `every member of ${service} is as in the model, except for the named differences`,
    { skip },
    async () => {
      const model = await modelOf(service)
      const found: string[] = []
      for (const { name, service: of, input } of queryRegistry.values()) {
        if (of !== service) continue
        const shape = model.operations[name]?.input?.shape
        const wanted = shape === undefined ? {} : describeModel(model, shape)['members']
        const ours = describeMembers(input)
        const names = new Set([...Object.keys(wanted ?? {}), ...Object.keys(ours)])
        for (const member of names) {
          const theirs = (wanted as Described | undefined)?.[member] as Described | undefined
          const own = ours[member] as Described | undefined
          if (boundedWithin.includes(member)) {
            assert.deepEqual([own?.['type'], own?.['required']], ['list', false], name)
            continue
          }
          const expected = { ...theirs, ...differences[member] }
          try {
            assert.deepEqual(ours[member], expected)
          } catch {
            found.push(
              `${name}.${member}: ${JSON.stringify(ours[member])} ${JSON.stringify(theirs)}`,
            )
          }
        }
      }
      assert.deepEqual(found, [])
    },
  )
}
