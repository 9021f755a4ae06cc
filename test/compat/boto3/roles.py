"""Roles as boto3 has them: documents as dictionaries, errors by class, pages, waiters, resources."""

import json
import unittest

import boto3

iam = boto3.client('iam')
ACCOUNT = boto3.client('sts').get_caller_identity()['Account']
TRUST = {
    'Version': '2012-10-17',
    'Statement': [
        {'Effect': 'Allow', 'Principal': {'AWS': f'arn:aws:iam::{ACCOUNT}:root'}, 'Action': 'sts:AssumeRole'}
    ],
}
USE = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 'kms:*', 'Resource': '*'}]}


def make(name, **more):
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), **more)['Role']


class Roles(unittest.TestCase):
    def test_a_role_is_waited_for_and_its_documents_are_dictionaries(self):
        made = make('shown', Path='/a/', MaxSessionDuration=7200)
        iam.get_waiter('role_exists').wait(RoleName='shown')
        role = iam.get_role(RoleName='shown')['Role']
        self.assertEqual(role['AssumeRolePolicyDocument'], TRUST)
        self.assertEqual(role['RoleId'], made['RoleId'])
        self.assertEqual(role['MaxSessionDuration'], 7200)
        self.assertEqual(role['RoleLastUsed'], {})
        iam.put_role_policy(RoleName='shown', PolicyName='own', PolicyDocument=json.dumps(USE))
        self.assertEqual(iam.get_role_policy(RoleName='shown', PolicyName='own')['PolicyDocument'], USE)
        self.assertEqual(iam.list_role_policies(RoleName='shown')['PolicyNames'], ['own'])
        none = iam.list_instance_profiles_for_role(RoleName='shown')
        self.assertEqual(none['InstanceProfiles'], [])

    def test_the_resource_of_a_role(self):
        make('thing', Tags=[{'Key': 'team', 'Value': 'blue'}])
        policy = boto3.resource('iam').create_policy(PolicyName='thing', PolicyDocument=json.dumps(USE))
        role = boto3.resource('iam').Role('thing')
        role.attach_policy(PolicyArn=policy.arn)
        self.assertEqual([attached.arn for attached in role.attached_policies.all()], [policy.arn])
        self.assertEqual([held.name for held in policy.attached_roles.all()], ['thing'])
        role.detach_policy(PolicyArn=policy.arn)
        role.AssumeRolePolicy().update(PolicyDocument=json.dumps(TRUST))
        role.delete()
        with self.assertRaises(iam.exceptions.NoSuchEntityException):
            iam.get_role(RoleName='thing')

    def test_roles_come_in_pages(self):
        for index in range(5):
            make(f'page{index}', Path='/pages/')
        pages = iam.get_paginator('list_roles').paginate(
            PathPrefix='/pages/', PaginationConfig={'PageSize': 2}
        )
        names = [[role['RoleName'] for role in page['Roles']] for page in pages]
        self.assertEqual(names, [['page0', 'page1'], ['page2', 'page3'], ['page4']])

    def test_errors_have_their_class_and_text(self):
        make('taken')
        with self.assertRaises(iam.exceptions.EntityAlreadyExistsException) as raised:
            make('TAKEN')
        self.assertRegex(str(raised.exception), 'Role with name TAKEN already exists')
        with self.assertRaises(iam.exceptions.MalformedPolicyDocumentException) as raised:
            iam.update_assume_role_policy(
                RoleName='taken',
                PolicyDocument=json.dumps({**TRUST, 'Statement': {**TRUST['Statement'][0], 'Resource': '*'}}),
            )
        self.assertRegex(str(raised.exception), 'Has prohibited field Resource')
        iam.create_service_linked_role(AWSServiceName='ecs.amazonaws.com')
        with self.assertRaises(iam.exceptions.UnmodifiableEntityException):
            iam.delete_role(RoleName='AWSServiceRoleForECS')


if __name__ == '__main__':
    unittest.main()
