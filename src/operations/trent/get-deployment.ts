/**
 * GetDeployment — `POST /_trent/deployment`: returns the state of the server, its seal and its nodes. The
 * console asks it with the credentials of its user.
 * INVARIANT (deployment is the first account's): other accounts are tenants. They learn nothing of machines
 * and seals.
 * @see docs/adr/0048-operators-in-the-console.md
 * @module
 */
import { KmsError } from '../../errors.ts'
import type { ShownNode } from '../contract/node-controls.ts'
import type { SealStatus } from '../contract/seal-controls.ts'
import type { ServerHealth } from '../contract/server-controls.ts'
import { trentOperation } from './trent-operation.ts'

/** What a start needs. How far a new seal is, operators see. */
type ShownSeal = Pick<SealStatus, 'kind' | 'generation' | 'opensAlone' | 'recovery'>

export interface Deployment extends Omit<ServerHealth, 'seal' | 'sealed'> {
  readonly seal: ShownSeal
  /** None with an embedded database. */
  readonly nodes: readonly Omit<ShownNode, 'change' | 'positions'>[]
}

export const getDeployment = trentOperation<Deployment>()({
  name: 'GetDeployment',
  door: 'signed',
  input: {},
  permissions: () => [{ action: 'console:GetDeployment' }],
  readOnly: true,
  audit: [],
  throws: ['ValidationException', 'AccessDeniedException'],
  async run({ caller }, { server }) {
    if (caller.accountId !== server.firstAccount.accountId) {
      const message = 'only the account that the first start of Trent created sees the deployment'
      throw new KmsError('AccessDeniedException', message)
    }
    const { version, startedAt, clock, seal } = await server.health()
    const { kind, generation, opensAlone, recovery } = seal
    const nodes = await server.nodes.list()
    return {
      version,
      startedAt,
      clock,
      seal: { kind, generation, opensAlone, recovery },
      nodes: nodes.map(({ change: _change, positions: _positions, ...shown }) => shown),
    }
  },
})
