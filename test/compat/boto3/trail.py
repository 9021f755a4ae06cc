"""Events, as boto3 looks them up."""

import json
import time
import unittest
from datetime import datetime, timedelta, timezone

import boto3

kms = boto3.client('kms')
trail = boto3.client('cloudtrail')


def events_of(arn, **more):
    pages = trail.get_paginator('lookup_events').paginate(
        LookupAttributes=[{'AttributeKey': 'ResourceName', 'AttributeValue': arn}], **more
    )
    return [event for page in pages for event in page['Events']]


class Trail(unittest.TestCase):
    def test_pages_of_events(self):
        key = kms.create_key()['KeyMetadata']
        for _ in range(7):
            kms.describe_key(KeyId=key['KeyId'])
        deadline = time.monotonic() + 60
        while len(events_of(key['Arn'])) < 8:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)
        events = events_of(key['Arn'], PaginationConfig={'PageSize': 3})
        self.assertEqual(len({event['EventId'] for event in events}), 8)
        self.assertEqual(events[-1]['EventName'], 'CreateKey')
        for event in events:
            record = json.loads(event['CloudTrailEvent'])
            self.assertEqual(record['eventID'], event['EventId'])
            made = event['EventName'] == 'CreateKey'
            self.assertEqual(event['Resources'], [
                {'ResourceType': 'AWS::KMS::Key', 'ResourceName': name}
                for name in (key['KeyId'], key['Arn'])
            ] if made else [{'ResourceName': key['KeyId']}])
        hour = timedelta(hours=1)
        now = datetime.now(timezone.utc)
        self.assertEqual(events_of(key['Arn'], EndTime=now - hour), [])
        self.assertEqual(len(events_of(key['Arn'], StartTime=now - hour, EndTime=now + hour)), 8)

    def test_errors(self):
        with self.assertRaises(trail.exceptions.InvalidNextTokenException):
            trail.lookup_events(NextToken='nonsense')
        with self.assertRaises(trail.exceptions.TrailNotFoundException):
            trail.start_logging(Name='nothing')
        with self.assertRaises(trail.exceptions.InvalidTrailNameException):
            trail.create_trail(Name='x', S3BucketName='bucket')


if __name__ == '__main__':
    unittest.main()
