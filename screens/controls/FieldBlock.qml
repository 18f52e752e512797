pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../theme"

// Label, hint, the control a field wants, and what is wrong with it.
ColumnLayout {
    id: block

    required property string field
    required property string control
    required property string keys
    required property string label
    required property string hint
    required property string value
    required property string chip
    required property var options
    required property bool required
    required property int maxLength
    required property string error
    readonly property bool wantsText: control === "line" || control === "area"

    signal edited(string field, string text)
    signal entered(Item place)

    function take(): void {
        if (editor.item instanceof TextBox)
            (editor.item as TextBox).take()
        else if (editor.item instanceof TextPad)
            (editor.item as TextPad).take()
    }

    Layout.fillWidth: true
    spacing: Theme.portrait && !Keyboard.visible ? 14 : 8

    Flow {
        Layout.fillWidth: true
        spacing: 18

        Label {
            text: block.required || block.control === "fixed" ? block.label : block.label + qsTr("（可不填）")
            font.pixelSize: Keyboard.visible ? Theme.body : Theme.roomy
            font.weight: Font.Medium
        }

        Label {
            width: Math.min(implicitWidth, block.width)
            topPadding: (Keyboard.visible ? Theme.body : Theme.roomy) - Theme.caption
            text: block.control === "fixed" ? "" : block.hint
            visible: text !== ""
            font.pixelSize: Theme.caption
            color: Theme.inkSoft
        }
    }

    Loader {
        id: editor
        Layout.fillWidth: true
        Layout.preferredHeight: item ? (item as Item).implicitHeight : 0
        sourceComponent: block.control === "fixed" ? fixed : block.control === "choice" ? choice : block.control === "area" ? pad : line
    }

    Row {
        visible: block.chip !== "" && block.wantsText
        spacing: 12

        Symbol {
            anchors.verticalCenter: parent.verticalCenter
            size: Math.round(Theme.caption * 1.3)
            name: "shield-check"
            tone: Theme.ok
        }

        Label {
            text: block.chip + qsTr("，可以修改")
            font.pixelSize: Theme.caption
            color: Theme.ok
        }
    }

    Row {
        visible: block.error !== ""
        spacing: 12

        Symbol {
            size: Math.round(Theme.body * 1.3)
            name: "alert-octagon"
            tone: Theme.error
        }

        Label {
            width: Math.min(implicitWidth, block.width - 70)
            text: block.error
            font.weight: Font.Medium
            color: Theme.error
            Accessible.role: Accessible.AlertMessage
        }
    }

    Component {
        id: fixed

        FixedValue {
            label: block.label
            value: block.value
            chip: block.chip
        }
    }

    Component {
        id: choice

        ChoiceList {
            label: block.label
            options: block.options
            value: block.value
            wrong: block.error !== ""
            onChosen: value => block.edited(block.field, value)
        }
    }

    Component {
        id: line

        TextBox {
            label: block.label
            value: block.value
            keys: block.keys
            placeholder: block.keys === "date" ? qsTr("年月日共8位数字，如 19760315") : ""
            maximumLength: block.maxLength
            wrong: block.error !== ""
            onEdited: text => block.edited(block.field, text)
            onEntered: block.entered(block)
        }
    }

    Component {
        id: pad

        TextPad {
            label: block.label
            value: block.value
            maximumLength: block.maxLength
            wrong: block.error !== ""
            onEdited: text => block.edited(block.field, text)
            onEntered: block.entered(block)
        }
    }
}
