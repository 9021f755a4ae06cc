/**
 * The Python programs that the tests run as their users do: the AWS CLI, boto3, the AWS Encryption SDK and
 * moto.
 * @module
 */
import { join } from 'node:path'
import { pythonPrograms, type PythonPrograms } from '../python-environment.ts'

export function pythonClients(): Promise<PythonPrograms> {
  return pythonPrograms({
    what: 'Python clients',
    requirements: join(import.meta.dirname, 'requirements.txt'),
    scripts: { aws: '#!/bin/sh\nexec "$(dirname "$0")/python" -m awscli "$@"\n' },
  })
}
