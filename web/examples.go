package web

import "encoding/json"

// example is one of the windows in which the playground opens, in Altair's own words.
type example struct {
	Name  string `json:"initialName"`
	Query string `json:"initialQuery"`
}

// examples ends with the one to begin with: Altair shows the last window first.
var examples = []example{
	{
		Name: "Sign in",
		Query: `# For a user who has signed up already.
mutation SignIn {
  signIn(input: { name: "", password: "" }) {
    user {
      id
      name
    }
    userErrors {
      code
      message
    }
  }
}
`,
	},
	{
		Name: "Me",
		Query: `# The signed-in user. Without a session the answer is the error UNAUTHENTICATED.
query Me {
  me {
    id
    name
    avatarUrl(size: 256)
    hasAvatar
    verification {
      realName
      maskedIdCard
      savedAt
    }
  }
}
`,
	},
	{
		Name: "Upload a picture",
		Query: `# Open VARIABLES at the bottom, press "Add files", leave the name as it is and choose
# a picture, then send with Ctrl+Enter.
mutation UploadPicture($file: Upload!) {
  updateAvatar(file: $file) {
    user {
      avatarUrl(size: 256)
      hasAvatar
    }
    userErrors {
      code
      message
      limit
    }
  }
}
`,
	},
	{
		Name: "Start here: sign up",
		Query: `# Welcome to Nameplate. Fill in a name and a password, then send with Ctrl+Enter.
# The answer sets a session cookie: from then on the other tabs act for this user.
# Docs, at the top on the right, has everything else that you can ask for.
# This browser keeps what you type here, passwords too: make them up.
mutation SignUp {
  signUp(input: { name: "", password: "" }) {
    user {
      id
      name
    }
    # What you can put right comes here. All else comes in the response's "errors".
    userErrors {
      code
      message
      field
      limit
    }
  }
}
`,
	},
}

// initialOptions is the script with which the page starts Altair.
func initialOptions(endpoint string) []byte {
	options, err := json.Marshal(map[string]any{
		"endpointURL":              endpoint,
		"initialWindows":           examples,
		"instanceStorageNamespace": "nameplate_", // another Altair may have had this origin
		"disableAccount":           true,         // it is kept on Altair's own server
		"initialSettings": map[string]any{
			"banners.disable":      true, // they advertise
			"schema.reloadOnStart": true,
			// Request scripts run in an interpreter, which needs neither eval nor a frame.
			"beta.disable.newScript": true,
		},
	})
	if err != nil {
		panic(err) // nothing in it can fail to marshal
	}
	return []byte("AltairGraphQL.init(" + string(options) + ");\n")
}
