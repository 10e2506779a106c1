// cfn-response: what CloudFormation supplies to inline Lambda code, for custom resources in a rehearsal.
// Written from the documentation of the module ("cfn-response module", AWS CloudFormation User Guide).
'use strict';

exports.SUCCESS = 'SUCCESS';
exports.FAILED = 'FAILED';

/** PUTs the answer of a custom resource to event.ResponseURL, once. Ends the invocation with context.done. */
exports.send = (event, context, status, data, physicalResourceId, noEcho) => {
  const body = JSON.stringify({
    Status: status,
    Reason: `See the details in CloudWatch Log Stream: ${context.logStreamName}`,
    PhysicalResourceId: physicalResourceId || context.logStreamName,
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
    NoEcho: noEcho || false,
    Data: data,
  });
  const url = new URL(event.ResponseURL);
  const { request } = require(url.protocol === 'http:' ? 'http' : 'https');
  const headers = { 'content-type': '', 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve) => {
    const end = (error) => {
      if (error) console.log(`cfn-response: ${error.message}`);
      resolve();
      context.done();
    };
    const put = request(url, { method: 'PUT', headers }, (response) => response.resume().on('end', () => end()));
    put.on('error', end);
    put.end(body);
  });
};
