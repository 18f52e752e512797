import QtQuick
import CitizensWindow
import "../theme"

// Somebody who has gone left a paper in its mouth.
Veil {
    edge: Theme.warn
    Accessible.role: Accessible.Dialog
    Accessible.name: Chrome.papersLeftTitle

    Symbol {
        anchors.horizontalCenter: parent.horizontalCenter
        size: 170
        name: "file-alert"
        tone: Theme.warn
    }

    Label {
        width: parent.width
        horizontalAlignment: Text.AlignHCenter
        text: Chrome.papersLeftTitle
        font.pixelSize: Theme.display
        strong: true
        Accessible.role: Accessible.AlertMessage
    }

    Label {
        width: parent.width
        horizontalAlignment: Text.AlignHCenter
        text: Chrome.papersLeftText
    }

    PushButton {
        width: parent.width
        height: 150
        look: "primary"
        size: Theme.tile
        symbol: "check"
        text: qsTr("知道了")
        onClicked: Chrome.papersSeen()
    }

    PushButton {
        width: parent.width
        symbol: "phone-call"
        text: Chrome.helpLabel
        onClicked: Chrome.callHelp()
    }
}
