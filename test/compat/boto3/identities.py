"""IAM and STS on users, policies and sessions, as boto3 drives them."""

import json
import unittest
import urllib.error
import urllib.request

import boto3

iam = boto3.client('iam')
sts = boto3.client('sts')
ACCOUNT = sts.get_caller_identity()['Account']


def document(action, effect='Allow'):
    statement = {'Effect': effect, 'Action': action, 'Resource': '*'}
    return json.dumps({'Version': '2012-10-17', 'Statement': statement})


def session_of(credentials, service):
    return boto3.client(
        service,
        aws_access_key_id=credentials['AccessKeyId'],
        aws_secret_access_key=credentials['SecretAccessKey'],
        aws_session_token=credentials['SessionToken'],
    )


class Identities(unittest.TestCase):
    def test_a_user_with_everything(self):
        boundary = iam.create_policy(
            PolicyName='edge',
            PolicyDocument=document('kms:*'),
            Tags=[{'Key': 'team', 'Value': 'blue'}],
        )['Policy']
        self.assertEqual(boundary['Tags'], [{'Key': 'team', 'Value': 'blue'}])
        arn = boundary['Arn']
        user = iam.create_user(UserName='ada', PermissionsBoundary=arn)['User']
        self.assertEqual(user['PermissionsBoundary']['PermissionsBoundaryArn'], arn)
        self.assertEqual(iam.get_policy(PolicyArn=arn)['Policy']['PermissionsBoundaryUsageCount'], 1)
        with self.assertRaises(iam.exceptions.DeleteConflictException):
            iam.delete_policy(PolicyArn=arn)
        iam.tag_user(UserName='ada', Tags=[{'Key': 'a', 'Value': '1'}, {'Key': 'b', 'Value': '2'}])
        iam.untag_user(UserName='ada', TagKeys=['A'])
        pages = iam.get_paginator('list_user_tags').paginate(UserName='ada')
        self.assertEqual([tag['Key'] for page in pages for tag in page['Tags']], ['b'])
        iam.put_user_policy(UserName='ada', PolicyName='own', PolicyDocument=document('kms:*'))
        self.assertEqual(iam.list_user_policies(UserName='ada')['PolicyNames'], ['own'])
        own = iam.get_user_policy(UserName='ada', PolicyName='own')
        self.assertEqual(own['PolicyDocument'], json.loads(document('kms:*')))
        iam.attach_user_policy(UserName='ada', PolicyArn=arn)
        attached = iam.list_attached_user_policies(UserName='ada')['AttachedPolicies']
        self.assertEqual([policy['PolicyName'] for policy in attached], ['edge'])
        entities = iam.list_entities_for_policy(PolicyArn=arn, PolicyUsageFilter='PermissionsBoundary')
        self.assertEqual([one['UserName'] for one in entities['PolicyUsers']], ['ada'])
        iam.detach_user_policy(UserName='ada', PolicyArn=arn)
        iam.delete_user_policy(UserName='ada', PolicyName='own')
        iam.delete_user_permissions_boundary(UserName='ada')
        with self.assertRaises(iam.exceptions.NoSuchEntityException):
            iam.delete_user_permissions_boundary(UserName='ada')
        iam.put_user_permissions_boundary(UserName='ada', PermissionsBoundary=arn)
        iam.delete_user(UserName='ada')
        version = iam.create_policy_version(PolicyArn=arn, PolicyDocument=document('kms:List*'))
        iam.set_default_policy_version(PolicyArn=arn, VersionId='v2')
        self.assertFalse(version['PolicyVersion']['IsDefaultVersion'])
        self.assertEqual(len(iam.list_policy_versions(PolicyArn=arn)['Versions']), 2)
        iam.delete_policy_version(PolicyArn=arn, VersionId='v1')
        shown = iam.get_policy_version(PolicyArn=arn, VersionId='v2')['PolicyVersion']
        self.assertEqual(shown['Document'], json.loads(document('kms:List*')))
        iam.tag_policy(PolicyArn=arn, Tags=[{'Key': 'Team', 'Value': 'red'}])
        self.assertEqual(iam.list_policy_tags(PolicyArn=arn)['Tags'], [{'Key': 'Team', 'Value': 'red'}])
        iam.untag_policy(PolicyArn=arn, TagKeys=['team'])
        self.assertEqual(iam.list_policy_tags(PolicyArn=arn)['Tags'], [])
        iam.delete_policy(PolicyArn=arn)

    def test_a_presigned_url_says_who_signed_it(self):
        url = sts.generate_presigned_url('get_caller_identity', HttpMethod='GET')
        with urllib.request.urlopen(url) as answer:
            self.assertIn(f'<Account>{ACCOUNT}</Account>', answer.read().decode())
        for wrong in (url + '0', url.replace('GetCallerIdentity', 'GetSessionToken')):
            with self.assertRaises(urllib.error.HTTPError) as raised:
                urllib.request.urlopen(wrong)
            self.assertEqual(raised.exception.code, 403)
            self.assertIn('<Code>SignatureDoesNotMatch</Code>', raised.exception.read().decode())

    def test_groups(self):
        iam.create_group(GroupName='ops', Path='/a/')
        iam.create_user(UserName='dora')
        iam.add_user_to_group(GroupName='ops', UserName='dora')
        iam.put_group_policy(GroupName='ops', PolicyName='own', PolicyDocument=document('kms:*'))
        own = iam.get_group_policy(GroupName='ops', PolicyName='own')
        self.assertEqual(own['PolicyDocument'], json.loads(document('kms:*')))
        users = [
            user['UserName']
            for page in iam.get_paginator('get_group').paginate(GroupName='ops')
            for user in page['Users']
        ]
        self.assertEqual(users, ['dora'])
        groups = iam.list_groups_for_user(UserName='dora')['Groups']
        self.assertEqual([group['GroupName'] for group in groups], ['ops'])
        listed = iam.get_paginator('list_groups').paginate(PathPrefix='/a/')
        self.assertEqual([one['GroupName'] for page in listed for one in page['Groups']], ['ops'])
        policy = iam.create_policy(PolicyName='shared', PolicyDocument=document('kms:*'))['Policy']
        iam.attach_group_policy(GroupName='ops', PolicyArn=policy['Arn'])
        attached = iam.list_attached_group_policies(GroupName='ops')['AttachedPolicies']
        self.assertEqual(attached, [{'PolicyName': 'shared', 'PolicyArn': policy['Arn']}])
        iam.detach_group_policy(GroupName='ops', PolicyArn=policy['Arn'])
        iam.delete_policy(PolicyArn=policy['Arn'])
        self.assertEqual(iam.list_group_policies(GroupName='ops')['PolicyNames'], ['own'])
        iam.delete_group_policy(GroupName='ops', PolicyName='own')
        iam.update_group(GroupName='ops', NewGroupName='ops-2')
        iam.remove_user_from_group(GroupName='ops-2', UserName='dora')
        iam.delete_group(GroupName='ops-2')
        iam.delete_user(UserName='dora')

    def test_roles_beside_the_rest(self):
        trust = {
            'Version': '2012-10-17',
            'Statement': {
                'Effect': 'Allow',
                'Principal': {'AWS': ACCOUNT},
                'Action': 'sts:AssumeRole',
            },
        }
        name = {'RoleName': 'wide'}
        iam.create_role(**name, AssumeRolePolicyDocument=json.dumps(trust))
        policy = iam.create_policy(PolicyName='limit', PolicyDocument=document('kms:*'))['Policy']
        arn = policy['Arn']
        iam.attach_role_policy(**name, PolicyArn=arn)
        attached = iam.list_attached_role_policies(**name)['AttachedPolicies']
        self.assertEqual([one['PolicyArn'] for one in attached], [arn])
        iam.detach_role_policy(**name, PolicyArn=arn)
        iam.put_role_permissions_boundary(**name, PermissionsBoundary=arn)
        iam.delete_role_permissions_boundary(**name)
        iam.update_role(**name, MaxSessionDuration=7200)
        self.assertEqual(
            iam.update_role_description(**name, Description='d')['Role']['Description'], 'd'
        )
        iam.tag_role(**name, Tags=[{'Key': 'k', 'Value': 'v'}])
        self.assertEqual(iam.list_role_tags(**name)['Tags'], [{'Key': 'k', 'Value': 'v'}])
        iam.untag_role(**name, TagKeys=['k'])
        iam.put_role_policy(**name, PolicyName='own', PolicyDocument=document('kms:*'))
        iam.delete_role_policy(**name, PolicyName='own')
        iam.delete_role(**name)
        names = [
            one['PolicyName']
            for page in iam.get_paginator('list_policies').paginate(Scope='Local')
            for one in page['Policies']
        ]
        self.assertIn('limit', names)
        iam.delete_policy(PolicyArn=arn)
        linked = iam.create_service_linked_role(AWSServiceName='autoscaling.amazonaws.com')['Role']
        task = iam.delete_service_linked_role(RoleName=linked['RoleName'])['DeletionTaskId']
        status = iam.get_service_linked_role_deletion_status(DeletionTaskId=task)['Status']
        self.assertEqual(status, 'SUCCEEDED')

    def test_simulations(self):
        user = iam.create_user(UserName='eve')['User']
        iam.put_user_policy(UserName='eve', PolicyName='own', PolicyDocument=document('kms:List*'))
        self.assertEqual(iam.get_user(UserName='eve')['User']['UserId'], user['UserId'])
        iam.update_user(UserName='eve', NewPath='/x/')
        iam.update_user(UserName='eve', NewPath='/')
        users = [one for page in iam.get_paginator('list_users').paginate() for one in page['Users']]
        self.assertIn('eve', [one['UserName'] for one in users])
        results = iam.simulate_principal_policy(
            PolicySourceArn=user['Arn'], ActionNames=['kms:ListKeys', 'kms:Encrypt']
        )['EvaluationResults']
        decisions = [result['EvalDecision'] for result in results]
        self.assertEqual(decisions, ['allowed', 'implicitDeny'])
        results = iam.simulate_custom_policy(
            PolicyInputList=[document('kms:*', 'Deny')], ActionNames=['kms:Encrypt']
        )['EvaluationResults']
        self.assertEqual(results[0]['EvalDecision'], 'explicitDeny')
        keys = iam.get_context_keys_for_custom_policy(PolicyInputList=[document('kms:*')])
        self.assertEqual(keys['ContextKeyNames'], [])
        keys = iam.get_context_keys_for_principal_policy(PolicySourceArn=user['Arn'])
        self.assertEqual(keys['ContextKeyNames'], [])

    def test_access_keys(self):
        iam.create_user(UserName='bob')
        key = iam.create_access_key(UserName='bob')['AccessKey']
        used = iam.get_access_key_last_used(AccessKeyId=key['AccessKeyId'])
        self.assertEqual(used['UserName'], 'bob')
        self.assertEqual(used['AccessKeyLastUsed'], {'ServiceName': 'N/A', 'Region': 'N/A'})
        signed = boto3.client(
            'sts',
            aws_access_key_id=key['AccessKeyId'],
            aws_secret_access_key=key['SecretAccessKey'],
        )
        self.assertEqual(signed.get_caller_identity()['Arn'], f'arn:aws:iam::{ACCOUNT}:user/bob')
        used = iam.get_access_key_last_used(AccessKeyId=key['AccessKeyId'])['AccessKeyLastUsed']
        self.assertEqual(used['ServiceName'], 'sts')
        self.assertIn('LastUsedDate', used)
        iam.update_access_key(UserName='bob', AccessKeyId=key['AccessKeyId'], Status='Inactive')
        listed = iam.list_access_keys(UserName='bob')['AccessKeyMetadata']
        self.assertEqual([one['Status'] for one in listed], ['Inactive'])
        iam.delete_access_key(UserName='bob', AccessKeyId=key['AccessKeyId'])
        iam.delete_user(UserName='bob')

    def test_the_alias_of_the_account(self):
        iam.create_account_alias(AccountAlias='our-lab')
        self.assertEqual(iam.list_account_aliases()['AccountAliases'], ['our-lab'])
        iam.create_account_alias(AccountAlias='our-lab-2')
        self.assertEqual(iam.list_account_aliases()['AccountAliases'], ['our-lab-2'])
        with self.assertRaises(iam.exceptions.NoSuchEntityException):
            iam.delete_account_alias(AccountAlias='our-lab')
        iam.delete_account_alias(AccountAlias='our-lab-2')
        self.assertEqual(iam.list_account_aliases()['AccountAliases'], [])

    def test_sessions(self):
        user = iam.create_user(UserName='carol')['User']
        iam.put_user_policy(UserName='carol', PolicyName='own', PolicyDocument=document('sts:*'))
        trust = {
            'Version': '2012-10-17',
            'Statement': {
                'Effect': 'Allow',
                'Principal': {'AWS': user['Arn']},
                'Action': 'sts:AssumeRole',
            },
        }
        role = iam.create_role(RoleName='ops', AssumeRolePolicyDocument=json.dumps(trust))['Role']
        iam.put_role_policy(RoleName='ops', PolicyName='own', PolicyDocument=document('kms:*'))
        key = iam.create_access_key(UserName='carol')['AccessKey']
        carol = boto3.client(
            'sts',
            aws_access_key_id=key['AccessKeyId'],
            aws_secret_access_key=key['SecretAccessKey'],
        )
        assumed = carol.assume_role(RoleArn=role['Arn'], RoleSessionName='job')
        self.assertEqual(assumed['AssumedRoleUser']['AssumedRoleId'], role['RoleId'] + ':job')
        session_of(assumed['Credentials'], 'kms').create_key()
        token = carol.get_session_token(DurationSeconds=900)['Credentials']
        me = session_of(token, 'sts').get_caller_identity()
        self.assertEqual(me['Arn'], user['Arn'])
        guest = carol.get_federation_token(Name='guest', Policy=document('kms:*'))
        self.assertEqual(guest['FederatedUser']['FederatedUserId'], f'{ACCOUNT}:guest')
        info = sts.get_access_key_info(AccessKeyId=token['AccessKeyId'])
        self.assertEqual(info['Account'], ACCOUNT)


if __name__ == '__main__':
    unittest.main()
