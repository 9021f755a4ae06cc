/** Deletion tasks of service-linked roles, and their ids. @module */
export const taskEnds = ['SUCCEEDED', 'FAILED'] as const
export type TaskEnd = (typeof taskEnds)[number]

/** A task finishes before its id is returned, so the id itself carries the result. */
export interface DeletionTasks {
  /** Returns the UUID of a new task. @param scope the role and its account, see `deletionScope` */
  begin(scope: string, end: TaskEnd): string
  /** Returns the result of a task; undefined if the id does not belong to this scope. */
  endOf(scope: string, uuid: string): TaskEnd | undefined
}

interface DeletionTask {
  /** The deleted role: `<service>/<role name>`. */
  readonly deleted: string
  readonly uuid: string
}

/** Parses `task/aws-service-role/<service>/<role name>/<UUID>`; undefined for other text. */
export function readDeletionTask(id: string): DeletionTask | undefined {
  const [, deleted, uuid] =
    /^task\/aws-service-role\/([\w.-]+\/[\w+=,.@-]+)\/([0-9a-f-]{36})$/.exec(id) ?? []
  return deleted === undefined || uuid === undefined ? undefined : { deleted, uuid }
}

export function deletionTaskId({ deleted, uuid }: DeletionTask): string {
  return `task/aws-service-role/${deleted}/${uuid}`
}

/** The scope that the id of a deletion task is bound to. */
export function deletionScope(accountId: string, deleted: string): string {
  return JSON.stringify(['DeleteServiceLinkedRole', accountId, deleted])
}
