/** Dependencies that no operation of KMS uses. @module */
import type { TrailDependencies } from '../../../src/model/trail.ts'
import { unused } from './unused-store.ts'
import type { OperationDependencies } from '../../../src/operations/contract/dependencies.ts'

const unusedTrails: TrailDependencies = {
  operatorTrail: unused,
  acceptsBucket: unused,
  encrypts: false,
  statusOf: unused,
  digestPublicKeys: unused,
}

const unusedFigures: OperationDependencies['figures'] = {
  listRequestCounts: unused,
  listKeyTurns: unused,
  listCalled: unused,
  listCalledOperations: unused,
  sumRequests: unused,
  listExpiringKeys: unused,
  listKeyStoreFigures: unused,
  listKeyStoreSeries: unused,
}

const unusedExplanations: OperationDependencies['explanations'] = {
  access: unused,
  call: unused,
  whoCan: unused,
  own: { call: unused, whoCan: unused },
}

export const unusedDependencies: Pick<
  OperationDependencies,
  'explanations' | 'figures' | 'trails'
> = {
  explanations: unusedExplanations,
  figures: unusedFigures,
  trails: unusedTrails,
}

export const unusedSeal: OperationDependencies['server']['seal'] = {
  status: unused,
  begin: unused,
  give: unused,
  cancel: unused,
  retire: unused,
  end: unused,
}
