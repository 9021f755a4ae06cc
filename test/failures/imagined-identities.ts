/** Imagined users, access keys, roles and sessions. @module */
import { randomUUID } from 'node:crypto'
import {
  type Cells,
  type Imagined,
  type Input,
  Refused,
  type Request,
  text,
} from './imagined-request.ts'
import { absent } from './registers.ts'

export function imaginedIdentities(cells: Cells): Imagined {
  const keysOf = new Map<string, string[]>()
  const mustBe = (cell: string): void => {
    if (cells.read(cell) === absent) throw new Refused('NoSuchEntityException')
  }
  const role = (input: Input, of = 'role'): string => `${of} of role ${text(input, 'RoleName')}`
  return {
    'iam:CreateUser': () => undefined,
    'iam:CreateAccessKey': ({ input }) => {
      const id = randomUUID()
      const user = text(input, 'UserName')
      keysOf.set(user, [...(keysOf.get(user) ?? []), id])
      cells.write(`access key ${id}`, 'Active')
      return { AccessKey: { AccessKeyId: id, SecretAccessKey: 'secret' } }
    },
    'iam:UpdateAccessKey': ({ input }) => {
      const cell = `access key ${text(input, 'AccessKeyId')}`
      mustBe(cell)
      cells.write(cell, text(input, 'Status'))
    },
    'iam:DeleteAccessKey': ({ input }) => {
      const cell = `access key ${text(input, 'AccessKeyId')}`
      mustBe(cell)
      cells.write(cell, absent)
    },
    'iam:ListAccessKeys': ({ input }) => {
      const keys = (keysOf.get(text(input, 'UserName')) ?? []).map((id) => ({
        AccessKeyId: id,
        Status: cells.read(`access key ${id}`),
      }))
      return { AccessKeyMetadata: keys.filter(({ Status }) => Status !== absent) }
    },
    'iam:CreateRole': ({ input }) => {
      cells.write(role(input), 'there')
      cells.write(role(input, 'trust'), text(input, 'AssumeRolePolicyDocument'))
    },
    'iam:UpdateAssumeRolePolicy': ({ input }) => {
      mustBe(role(input))
      cells.write(role(input, 'trust'), text(input, 'PolicyDocument'))
    },
    'iam:PutRolePolicy': ({ input }) => {
      mustBe(role(input))
      cells.write(role(input, 'right'), 'there')
    },
    'iam:DeleteRolePolicy': ({ input }) => {
      mustBe(role(input, 'right'))
      cells.write(role(input, 'right'), absent)
    },
    'iam:DeleteRole': ({ input }) => {
      mustBe(role(input))
      if (cells.read(role(input, 'right')) !== absent) throw new Refused('DeleteConflictException')
      cells.write(role(input), absent)
    },
    'sts:AssumeRole': ({ input, asOf }) => {
      const name = text(input, 'RoleArn').split('/').at(-1)
      const isThere = cells.read(`role of role ${name}`, asOf) !== absent
      const isTrusting = cells.read(`trust of role ${name}`, asOf).includes(':user/user')
      if (!isThere || !isTrusting) throw new Refused('AccessDenied')
      const credentials = { AccessKeyId: `of ${name}`, SecretAccessKey: 's', SessionToken: 't' }
      return { Credentials: credentials }
    },
    GenerateRandom: (request) => generateRandom(cells, request),
  }
}

/** Decides by the caller's credentials, and by the right of a session's role. */
function generateRandom(cells: Cells, { who, asOf }: Request): void {
  if (typeof who === 'string') return
  const { accessKeyId, sessionToken } = who
  if (sessionToken === undefined) {
    if (cells.read(`access key ${accessKeyId}`, asOf) === 'Active') return
    throw new Refused('UnrecognizedClientException')
  }
  const name = accessKeyId.slice('of '.length)
  if (cells.read(`role of role ${name}`, asOf) === absent) {
    throw new Refused('UnrecognizedClientException')
  }
  if (cells.read(`right of role ${name}`, asOf) === absent) {
    throw new Refused('AccessDeniedException')
  }
}
