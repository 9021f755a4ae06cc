/**
 * The members of IAM's and STS's operations against the models that botocore carries: which there are,
 * what is required, lengths, and closed sets. IAM says in words of its own which characters it takes, so
 * that patterns are not compared.
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

/** By member, wherever it is: where Trent is not the model, and why. Each must really be a difference. */
const differences: Readonly<Record<string, Described>> = {
  // Markers are sealed, and longer than IAM's.
  Marker: { max: 1024 },
  // The model bounds no such list; Trent bounds everything.
  ActionNames: { max: 128 },
  ResourceArns: { max: 1000 },
  PolicyInputList: { max: 100 },
  PermissionsBoundaryPolicyInputList: { max: 100 },
  PolicyArns: { max: 10 },
  ClientIDList: { max: 1000 },
  ThumbprintList: { max: 1000 },
  VersionId: { min: 1, max: 32 },
  // What AWS's documentation says of it, which the model does not.
  Policy: { max: 2048 },
  // `Expired` is what a key can be, not what a call can make it.
  Status: { values: ['Active', 'Inactive'] },
}

/** Lists of structures, in which Trent bounds more: only what they are is compared. */
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

/** Without what is absent, and without a lower bound of nothing. */
function trimmed(described: Described): Described {
  return Object.fromEntries(
    Object.entries(described).filter(
      ([name, value]) => value !== undefined && !(name === 'min' && value === 0),
    ),
  )
}

for (const service of ['iam', 'sts']) {
  test(
    `every member of ${service} is the model's, but for what is named here`,
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
