"""Providers of identity tokens, and the session that a token is exchanged for: `web_identity.py ROLE TOKEN_FILE`."""

import os
import sys
import unittest

import boto3
from botocore.exceptions import ClientError

role, token_file = sys.argv[1:]
iam = boto3.client('iam')


class WebIdentity(unittest.TestCase):
    def test_a_token_is_exchanged(self):
        sts = boto3.client('sts')
        with open(token_file) as file:
            token = file.read()
        answer = sts.assume_role_with_web_identity(
            RoleArn=role, RoleSessionName='hand', WebIdentityToken=token, DurationSeconds=900
        )
        self.assertEqual(answer['SubjectFromWebIdentityToken'], 'system:serviceaccount:shop:payments')
        with self.assertRaises(sts.exceptions.InvalidIdentityTokenException):
            sts.assume_role_with_web_identity(
                RoleArn=role, RoleSessionName='hand', WebIdentityToken='nonsense'
            )
        del os.environ['AWS_SHARED_CREDENTIALS_FILE']
        os.environ['AWS_ROLE_ARN'] = role
        os.environ['AWS_WEB_IDENTITY_TOKEN_FILE'] = token_file
        kms = boto3.session.Session().client('kms')
        self.assertEqual(len(kms.generate_random(NumberOfBytes=8)['Plaintext']), 8)

    def test_providers(self):
        arn = iam.create_open_id_connect_provider(
            Url='https://issuer.example', ClientIDList=['a'], Tags=[{'Key': 'k', 'Value': 'v'}]
        )['OpenIDConnectProviderArn']
        with self.assertRaises(iam.exceptions.EntityAlreadyExistsException):
            iam.create_open_id_connect_provider(Url='https://issuer.example')
        named = {'OpenIDConnectProviderArn': arn}
        iam.add_client_id_to_open_id_connect_provider(**named, ClientID='b')
        iam.remove_client_id_from_open_id_connect_provider(**named, ClientID='a')
        iam.update_open_id_connect_provider_thumbprint(**named, ThumbprintList=['0' * 40])
        iam.tag_open_id_connect_provider(**named, Tags=[{'Key': 'l', 'Value': 'w'}])
        iam.untag_open_id_connect_provider(**named, TagKeys=['k'])
        shown = iam.get_open_id_connect_provider(**named)
        self.assertEqual(
            (shown['Url'], shown['ClientIDList'], shown['ThumbprintList']),
            ('issuer.example', ['b'], ['0' * 40]),
        )
        tags = iam.list_open_id_connect_provider_tags(**named)['Tags']
        self.assertEqual(tags, [{'Key': 'l', 'Value': 'w'}])
        listed = iam.list_open_id_connect_providers()['OpenIDConnectProviderList']
        self.assertIn({'Arn': arn}, listed)
        iam.delete_open_id_connect_provider(**named)
        with self.assertRaises(ClientError) as refused:
            iam.get_open_id_connect_provider(**named)
        self.assertEqual(refused.exception.response['Error']['Code'], 'NoSuchEntity')


unittest.main(argv=sys.argv[:1])
